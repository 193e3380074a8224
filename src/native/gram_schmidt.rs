//! Classical Gram-Schmidt.

use pulp::{Arch, Simd, WithSimd};

use super::partial::Sum;
use super::rows::add_rows;
use super::sums::Products;
use crate::tensor::stored::F32;

/// vector = vector - V Vᵀ vector, with the vectors of `basis`, one after another, as the columns of V: one pass of
/// classical Gram-Schmidt.
///
/// The coefficients -Vᵀ vector stay in `coefficients`.
///
/// *Accuracy*  a coefficient as [`super::dot`]; gamma(vectors) · (|vector| + |V| · |coefficients|) of the update.
pub(crate) fn orthogonalise(basis: &[f32], coefficients: &mut [f32], vector: &mut [f32]) {
    Arch::new().dispatch(Coefficients { basis, vector, coefficients });
    add_rows::<F32>(vector, basis, vector.len(), coefficients);
}

/// The coefficients of all vectors, compiled as a whole, because a call for each would take as long as a short sum.
struct Coefficients<'a> {
    basis: &'a [f32],
    vector: &'a [f32],
    coefficients: &'a mut [f32],
}

impl WithSimd for Coefficients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let length = self.vector.len();
        for (coefficient, other) in self.coefficients.iter_mut().zip(self.basis.chunks_exact(length)) {
            *coefficient = -Sum { length, terms: Products(other, self.vector) }.with_simd(simd);
        }
    }
}
