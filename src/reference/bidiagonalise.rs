//! A step of Golub and Kahan's bidiagonalisation.

use super::{combine, matvec, matvec_adjoint, project};

/// The sides and the power of two of a matrix whose steps are taken.
#[derive(Clone, Copy, Debug)]
pub struct Bidiagonalised<'a> {
    /// The entries.
    pub matrix: &'a [f64],
    /// The number of columns.
    pub cols: usize,
    /// Whether the short side is that of the rows.
    pub transposed: bool,
    /// The power of two f.
    pub factor: f64,
}

impl Bidiagonalised<'_> {
    /// The product f A · vector, or f Aᵀ · vector where `adjoint`, as seen from the short side.
    pub fn product(&self, adjoint: bool, vector: &[f64]) -> Vec<f64> {
        let product = match adjoint != self.transposed {
            true => matvec_adjoint(self.matrix, self.cols, vector),
            false => matvec(self.matrix, vector),
        };
        product.into_iter().map(|value| self.factor * value).collect()
    }

    /// `f A v - beta u`, whose norm is alpha.
    pub fn forward(&self, v: &[f64], beta: f64, u: &[f64]) -> Vec<f64> {
        self.product(false, v).iter().zip(u).map(|(product, u)| product - beta * u).collect()
    }

    /// `f Aᵀ u - alpha v`.
    pub fn backward(&self, u: &[f64], alpha: f64, v: &[f64]) -> Vec<f64> {
        self.product(true, u).iter().zip(v).map(|(product, v)| product - alpha * v).collect()
    }
}

/// The coefficients `Vᵀ w` and the remainder `w - V Vᵀ w`, with the slots of `basis` as the columns of V.
pub fn bidiagonalise(basis: &[f64], w: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let coefficients = project(basis, w);
    let remainder = combine(-1.0, basis, &coefficients, w);
    (coefficients, remainder)
}
