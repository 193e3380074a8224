//! Operators that are made of parameters, and the derivative of uᵀ A v with respect to the parameters.

use super::{Composition, Identity, LinearOperator, Scaled, Sum, Transpose, width};
use crate::device::{Buffer, Recorder};
use crate::ops::{self, Rows, Side, Sizes};
use crate::tensor::{Matrix, Tensor};
use crate::{Error, Result};

/// An operator with parameters that it depends on, such as the entries of a matrix or the weights of a function.
///
/// With the singular vectors u and v of a norm the pull-back is the gradient of the norm. No matrix of the size
/// codomain × domain is formed unless it is itself the parameter.
///
/// ```
/// use opnorm::operator::{Parametrised, Transpose};
/// use opnorm::{Device, Matrix, tensor::Tensor};
/// let device = Device::new()?;
/// let matrix = Matrix::from_slice(&device, 2, 2, &[1.0, 2.0, 3.0, 4.0])?;
/// let left = Tensor::from_slice(&device, &[1, 1, 2], &[1.0, 2.0])?;
/// let right = Tensor::from_slice(&device, &[1, 1, 2], &[5.0, 7.0])?;
/// let gradient = matrix.pull_back(&left, &right, &[1.0])?;
/// assert_eq!(gradient[0].read(&device)?, [5.0, 7.0, 10.0, 14.0]); // u vᵀ
/// let turned = Transpose(&matrix).pull_back(&left, &right, &[1.0])?;
/// assert_eq!(turned[0].read(&device)?, [5.0, 10.0, 7.0, 14.0]); // v uᵀ
/// # Ok::<(), opnorm::Error>(())
/// ```
pub trait Parametrised: LinearOperator {
    /// The derivative, for each batch element, of the sum over its vectors of weight · uᵀ A v with respect to each
    /// parameter, of A itself without the power of two of its exponent. A parameter that all batch elements share has
    /// one derivative, of the sum over the elements.
    ///
    /// *Shapes*  `left`: batch × vectors × codomain · `right`: batch × vectors × domain · `weights`: batch × vectors ·
    /// result, for each parameter: batch × its shape, or its shape where all batch elements share it
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit; whatever the device says.
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>>;
}

/// The entries, as one parameter of shape rows × cols: Σ weight · u vᵀ.
impl Parametrised for Matrix {
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
        let (batch, rows, cols) = (self.batch(), self.rows(), self.cols());
        let vectors = expect_pairs(self, left, right, weights)?;
        let device = Matrix::device(self);
        let gradient = Tensor::zeros(device, &[batch, rows, cols])?;
        let factors: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
        let factors = Buffer::from_slice(device, OPERATION, &factors)?;
        let weighted = Buffer::zeros(device, OPERATION, left.len())?;
        let mut recorder = device.recorder();
        let each = Rows { vectors: batch * vectors, length: rows };
        ops::scale(&mut recorder, each, &factors, left.buffer(), &weighted)?;
        let sizes = Sizes { batch, rows, inner: vectors, cols };
        let (left, right) =
            (Side { buffer: &weighted, transposed: true }, Side { buffer: right.buffer(), transposed: false });
        ops::matmul(&mut recorder, sizes, left, right, None, gradient.buffer())?;
        recorder.submit()?;
        Ok(vec![gradient])
    }
}

/// No parameter.
impl Parametrised for Identity {
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
        expect_pairs(self, left, right, weights)?;
        Ok(Vec::new())
    }
}

/// The parameters of the operator that is transposed: uᵀ Aᵀ v = vᵀ A u.
impl<O: Parametrised> Parametrised for Transpose<O> {
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
        self.0.pull_back(right, left, weights)
    }
}

/// The parameters of the operator that is scaled; the factors count as constants.
impl<O: Parametrised> Parametrised for Scaled<O> {
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
        let vectors = expect_pairs(self, left, right, weights)?;
        let weights = weighted(weights, vectors, |item| f64::from(self.factors()[item]));
        self.operator().pull_back(left, right, &weights)
    }
}

/// The parameters of the left operator, then those of the right one.
impl<A: Parametrised, B: Parametrised> Parametrised for Sum<A, B> {
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
        let (first, second) = self.parts();
        let mut gradients = first.pull_back(left, right, weights)?;
        gradients.extend(second.pull_back(left, right, weights)?);
        Ok(gradients)
    }
}

/// The parameters of the outer operator, then those of the inner one: uᵀ A B v is uᵀ A (B v) and (Aᵀ u)ᵀ B v.
impl<A: Parametrised, B: Parametrised> Parametrised for Composition<A, B> {
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
        let vectors = expect_pairs(self, left, right, weights)?;
        let (outer, inner) = self.parts();
        let shape = [&[self.batch(), vectors], &inner.codomain()[..]].concat();
        let device = self.device();
        let (forward, backward) = (Tensor::zeros(device, &shape)?, Tensor::zeros(device, &shape)?);
        let mut recorder: Recorder = device.recorder();
        inner.apply(&mut recorder, right, &forward)?;
        outer.apply_adjoint(&mut recorder, left, &backward)?;
        recorder.submit_blocking()?;
        // The products are 2^-e times those of the operators.
        let scale = |exponent: i32| crate::tensor::screen::scale_by_power(1.0, exponent);
        let of_outer = weighted(weights, vectors, |item| scale(inner.exponent(item)));
        let of_inner = weighted(weights, vectors, |item| scale(outer.exponent(item)));
        let mut gradients = outer.pull_back(left, &forward, &of_outer)?;
        gradients.extend(inner.pull_back(&backward, right, &of_inner)?);
        Ok(gradients)
    }
}

const OPERATION: &str = "pull-back";

/// The number of pairs for each batch element, all of whose shapes fit the operator.
pub(crate) fn expect_pairs<O: LinearOperator>(
    operator: &O,
    left: &Tensor,
    right: &Tensor,
    weights: &[f64],
) -> Result<usize> {
    let batch = operator.batch();
    let vectors = width(OPERATION, batch, &operator.codomain(), left)?;
    let found = width(OPERATION, batch, &operator.domain(), right)?;
    if (found, weights.len()) != (vectors, batch * vectors) {
        return Err(Error::ShapeMismatch {
            operation: OPERATION,
            expected: format!("{vectors} right vectors for each batch element, and {} weights", batch * vectors),
            found: format!("{found} right vectors and {} weights", weights.len()),
        });
    }
    Ok(vectors)
}

/// The weights, each times the factor of its batch element.
fn weighted(weights: &[f64], vectors: usize, factor: impl Fn(usize) -> f64) -> Vec<f64> {
    weights.iter().enumerate().map(|(index, weight)| weight * factor(index / vectors.max(1))).collect()
}
