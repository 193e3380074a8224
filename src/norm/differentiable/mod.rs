//! Spectral, Ky Fan and nuclear norms as values of a tape, with derivatives of any order.
//!
//! There are three operations:
//!
//! - [`singular_vectors`] runs a solver.
//! - [`singular_values`] is σ = uᵀ A v, with the derivative uᵀ dA v. No gradient goes through the solver's iterations,
//!   because u and v do not move σ to first order.
//! - [`resolvent`] is the motion of u and v: a linear system with the augmented matrix. The derivative of a resolvent
//!   is written with the same resolvent.

mod dense;
mod refined;
mod resolvent;
mod singular_values;
mod singular_vectors;

use std::sync::Arc;

use singular_values::SingularValues;
use singular_vectors::SingularVectors;

use super::{Lanczos, Stop};
use crate::tape::Value;
use crate::tensor::volume;
use crate::{Error, Result};

impl Value {
    /// The spectral norm ‖A‖₂ = σ₁ of each matrix, by [`Lanczos`] until its gradient u vᵀ is right to 1e-5.
    ///
    /// Where the next value is within σ₁ / 100, or rounding stands in the way, the host goes on in `f64`. The gradient
    /// is then that of the `f32` entries, whatever the gap. The rounding of the entries to `f32` still turns the
    /// gradient by about 6e-8 σ₁ / gap.
    ///
    /// Where σ₁ is repeated, the gradient is u vᵀ of one of its pairs: one of several subgradients. Second derivatives
    /// do not exist there; a program that needs them ends with [`Error::NotDifferentiable`]. A zero matrix has norm 0
    /// and derivative 0.
    ///
    /// *Shapes*  this: batch × rows × cols · result: batch, where batch is any axes
    ///
    /// To divide a batch of n matrices by their norms, reshape the norms to n × 1 × 1.
    ///
    /// *Source*  Magnus, *On differentiating eigenvalues and eigenvectors*, Econometric Theory 1, 1985, for the
    /// augmented matrix [[0, A], [Aᵀ, 0]].
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape, tensor::Tensor};
    /// let device = Device::new()?;
    /// let tape = Tape::new(&device);
    /// let matrix = tape.input(&[2, 2])?;
    /// let gradient = tape.grad(&matrix.spectral_norm()?.square()?, &[&matrix])?; // 2 σ u vᵀ
    /// let diagonal = Tensor::from_slice(&device, &[2, 2], &[3.0, 0.0, 0.0, 1.0])?;
    /// let found = tape.compile(&[&matrix], &gradient)?.run(&[diagonal])?;
    /// assert!((found[0].read(&device)?[0] - 6.0).abs() < 1e-4);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for fewer than two axes. A run ends with [`Error::NotConverged`] where the solver does.
    pub fn spectral_norm(&self) -> Result<Self> {
        self.spectral_norm_by(&accurate())
    }

    /// [`Value::spectral_norm`] by a given solver: its tolerance, iterations and seed.
    ///
    /// # Errors
    /// As [`Value::spectral_norm`].
    pub fn spectral_norm_by(&self, solver: &Lanczos) -> Result<Self> {
        let matrices = Matrices::of("spectral norm", self)?;
        let (_, sigma, _) = matrices.triplets(solver, 1)?;
        // The sum of one value, or of no value where a side has length 0.
        sigma.sum(&[1])?.reshape(&matrices.batch)
    }

    /// The largest singular triplet (u, σ₁, v) of each matrix: A v = σ u, Aᵀ u = σ v. The sign makes the entry of v of
    /// largest magnitude positive.
    ///
    /// Derivatives of u and v exist where σ₁ has multiplicity 1. A run refuses derivatives
    /// ([`Error::NotDifferentiable`]) where the next singular value is within 1e-6 σ₁. The derivatives solve (σ² - AᵀA)
    /// dv = (1 - v vᵀ)(σ dAᵀ u + Aᵀ(1 - u uᵀ) dA v), by conjugate gradients in `f64` on the host. The matrix is
    /// augmented instead of squared.
    ///
    /// *Shapes*  this: batch × rows × cols · result: batch × rows, batch, batch × cols
    ///
    /// # Errors
    /// As [`Value::spectral_norm`].
    pub fn singular_triplet(&self) -> Result<(Self, Self, Self)> {
        let matrices = Matrices::of("singular triplet", self)?;
        if matrices.rows == 0 || matrices.cols == 0 {
            return Err(Error::ShapeMismatch {
                operation: "singular triplet",
                expected: "matrices with a row and a column".to_string(),
                found: format!("{:?}", self.shape()),
            });
        }
        let (left, sigma, right) = matrices.triplets(&accurate(), 1)?;
        let shape = |last: usize| [&matrices.batch[..], &[last]].concat();
        Ok((
            left.reshape(&shape(matrices.rows))?,
            sigma.reshape(&matrices.batch)?,
            right.reshape(&shape(matrices.cols))?,
        ))
    }

    /// The Ky Fan norm of each matrix: the sum of the `count` largest singular values.
    ///
    /// A matrix with fewer values has the sum of all.
    ///
    /// The gradient is U Vᵀ of the vectors of these values. The last value must differ from the next value.
    ///
    /// *Shapes*  this: batch × rows × cols · result: batch, where batch is any axes
    ///
    /// # Errors
    /// As [`Value::spectral_norm`].
    pub fn ky_fan_norm(&self, count: usize) -> Result<Self> {
        let matrices = Matrices::of("Ky Fan norm", self)?;
        let (_, sigmas, _) = matrices.triplets(&accurate(), count)?;
        sigmas.sum(&[1])?.reshape(&matrices.batch)
    }

    /// The nuclear norm of each matrix: the sum of its singular values. The gradient U Vᵀ leaves out singular values
    /// that are zero to the precision of the entries.
    ///
    /// *Shapes*  this: batch × rows × cols · result: batch, where batch is any axes
    ///
    /// # Errors
    /// As [`Value::spectral_norm`].
    pub fn nuclear_norm(&self) -> Result<Self> {
        let matrices = Matrices::of("nuclear norm", self)?;
        self.ky_fan_norm(matrices.rows.min(matrices.cols))
    }
}

/// A solver whose gradient is accurate enough for second derivatives.
fn accurate() -> Lanczos {
    Lanczos { stop: Stop::Gradient { tolerance: 1e-5 }, ..Lanczos::default() }
}

/// A value as a batch of matrices.
struct Matrices {
    /// Items × rows × cols.
    value: Value,
    batch: Vec<usize>,
    rows: usize,
    cols: usize,
}

impl Matrices {
    fn of(operation: &'static str, value: &Value) -> Result<Self> {
        let [batch @ .., rows, cols] = value.shape() else {
            return Err(Error::ShapeMismatch {
                operation,
                expected: "matrices: batch × rows × cols".to_string(),
                found: format!("{:?}", value.shape()),
            });
        };
        let (batch, rows, cols) = (batch.to_vec(), *rows, *cols);
        let value = value.reshape(&[volume(&batch), rows, cols])?;
        Ok(Self { value, batch, rows, cols })
    }

    /// The largest singular triplets: items × count × rows, items × count, items × count × cols.
    fn triplets(&self, solver: &Lanczos, count: usize) -> Result<(Value, Value, Value)> {
        let vectors = self.value.through(SingularVectors::new(solver, count))?;
        let left = vectors.slice(2, 0..self.rows)?;
        let right = vectors.slice(2, self.rows..self.rows + self.cols)?;
        let values = self.value.tape().compute(Arc::new(SingularValues), &[&self.value, &left, &right])?;
        Ok((left, values, right))
    }
}
