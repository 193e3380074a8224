//! Björck's orthonormalisation: a weight whose singular values are all 1.

use super::description::{Description, Members, Problem};
use super::{Parameter, Parametrisation, Scope};
use crate::tape::Value;
use crate::tensor::volume;
use crate::{Error, Result};

/// A weight with orthonormal rows, or columns where there are fewer, close to a plain weight W, so that the layer is
/// 1-Lipschitz and keeps gradients.
///
/// W is first divided by √(‖W‖₁ ‖W‖∞), which is at least its spectral norm. Singular values are then within (0, 1],
/// where all orders converge: W ← W (1 + Q/2 + 3/8 Q² + 5/16 Q³), up to the power of the order, with Q = 1 - WᵀW. Every
/// value rises to 1 from below, so that the norm is at most 1 after any number of iterations, but for rounding. A value
/// of 0 stays 0.
///
/// *Source*  Björck and Bowie, *An iterative algorithm for computing the best estimate of an orthogonal matrix*, 1971.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bjorck {
    /// The highest power of Q: 1, 2 or 3. Default 1.
    pub order: usize,
    /// Iterations. A small singular value grows by 3/2 with each (order 1), or up to 35/16 (order 3). Default 20.
    pub iterations: usize,
}

impl Default for Bjorck {
    fn default() -> Self {
        Self { order: 1, iterations: 20 }
    }
}

impl Bjorck {
    /// The parametrisation of a description.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let usual = Self::default();
        let (order, iterations) = (members.or("order", usual.order)?, members.or("iterations", usual.iterations)?);
        members.expect("order", (1..=3).contains(&order), "1, 2 or 3")?;
        members.expect("iterations", (1..=1000).contains(&iterations), "from 1 to 1000")?;
        Ok(Self { order, iterations })
    }

    fn check(self, shape: &[usize]) -> Result<()> {
        let refuse = |option, value: String, allowed| {
            Err(Error::InvalidOption { operation: "Björck's orthonormalisation", option, value, allowed })
        };
        match self {
            Self { order: 0 | 4.., .. } => refuse("order", self.order.to_string(), "1, 2 or 3"),
            Self { iterations: 0, .. } => refuse("iterations", "0".to_string(), "1 or more"),
            _ if shape.len() < 2 => refuse("the weight", format!("{shape:?}"), "a matrix, or of more axes"),
            _ => Ok(()),
        }
    }

    /// W times the polynomial in Q; for a wide W, the polynomial of 1 - WWᵀ times W.
    fn step(self, matrix: &Value) -> Result<Value> {
        const FACTORS: [f64; 3] = [0.5, 0.375, 0.3125];
        let is_tall = matrix.shape()[0] >= matrix.shape()[1];
        let product = |right: &Value| if is_tall { matrix.matmul(right) } else { right.matmul(matrix) };
        let gram = if is_tall { matrix.matmul_tn(matrix)? } else { matrix.matmul_nt(matrix)? };
        let side = gram.shape()[0];
        let identity: Vec<f32> = (0..side * side).map(|index| f32::from(u8::from(index % (side + 1) == 0))).collect();
        let identity = crate::tensor::Tensor::from_slice(matrix.tape().device(), &[side, side], &identity)?;
        let q = matrix.tape().constant(&identity)?.subtract(&gram)?;
        let mut power = q.clone();
        let mut polynomial = q.scale(FACTORS[0])?;
        for factor in &FACTORS[1..self.order] {
            power = power.matmul(&q)?;
            polynomial = polynomial.add(&power.scale(*factor)?)?;
        }
        matrix.add(&product(&polynomial)?)
    }
}

impl Parametrisation for Bjorck {
    fn parameters(&self, plain: Parameter) -> Vec<Parameter> {
        vec![plain]
    }

    fn weight(&self, scope: &Scope, name: &str) -> Result<Value> {
        let weight = scope.value(name)?;
        self.check(weight.shape())?;
        let [rows, rest @ ..] = weight.shape() else { return Ok(weight.clone()) };
        let matrix = weight.reshape(&[*rows, volume(rest)])?;
        let sizes = matrix.abs()?;
        let (columns, lines) = (sizes.sum(&[0])?.max(0)?, sizes.sum(&[1])?.max(0)?);
        let bound = columns.multiply(&lines)?.sqrt()?.reshape(&[1, 1])?;
        let is_zero = bound.stop_gradient()?.sign()?.negate()?.shift(1.0)?;
        let scaled = matrix.divide(&bound.add(&is_zero)?)?;
        let found = (0..self.iterations).try_fold(scaled, |matrix, _| self.step(&matrix))?;
        found.reshape(weight.shape())
    }

    fn describe(&self, _: &str) -> Result<Description> {
        let usual = Self::default();
        let own = Description::new("bjorck").with_other("order", self.order, usual.order);
        Ok(own.with_other("iterations", self.iterations, usual.iterations))
    }
}
