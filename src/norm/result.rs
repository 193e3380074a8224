//! The result of a solver: spectral norms with their bounds, and their singular vectors.

use std::ops::Index;
use std::{fmt, slice};

use approx::{AbsDiffEq, RelativeEq};

use super::copies::Copies;
use super::stop::MEASURABLE;
use super::{Arithmetic, Bounds, Guarantee};
use crate::device::Device;
use crate::iterate::{StartVectors, Status};
use crate::tensor::{Position, Tensor, volume};
use crate::{Error, Result};

/// The distance of a triplet (sigma, u, v) from a singular one, in units of sigma.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Residual {
    /// |Av - sigma u|
    pub left: f64,
    /// |Aᵀu - sigma v|
    pub right: f64,
}

impl Residual {
    /// The residuals of both sides as one number: √(left² + right²).
    pub fn norm(&self) -> f64 {
        self.left.hypot(self.right)
    }
}

/// The spectral norm of one batch item, with its bounds, residual and status.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpectralNorm {
    /// The estimate: |Av| / |v| for the right vector found. NaN where the operator is not finite.
    pub sigma: f64,
    /// The bounds of the norm, with the kind of their guarantee.
    ///
    /// A solver gives a proven lower bound: a Rayleigh quotient taken on the host in `f64`, all rounding subtracted.
    /// There are no bounds where the operator cannot enclose its products. An operator without entries, or with all
    /// entries seen to be zero, has the certified norm 0. Products that are zero prove nothing.
    ///
    /// The bounds are of the operator as the device holds it. Entries of `f64` are held rounded to `f32`; for other
    /// types the device holds the matrix given.
    pub bounds: Bounds,
    /// The distance of the triplet from a singular one.
    pub residual: Residual,
    /// An estimate of the next singular value; `None` where the iteration sees none (power iteration, or a side of
    /// length 1).
    ///
    /// A Krylov subspace shows a repeated singular value once. With [`SpectralNorm::multiplicity`] copies are told
    /// apart, and `second` is the next *distinct* value.
    pub second: Option<f64>,
    /// The distance of sigma to the next singular value; sigma where there is no other, `None` where unknown.
    pub gap: Option<f64>,
    /// The multiplicity of the largest singular value, values within 2^-20 sigma included.
    ///
    /// `None` where copies were not counted ([`super::Lanczos::multiplicity`]).
    pub multiplicity: Option<usize>,
    /// Iterations of the method until this batch item was done.
    pub iterations: usize,
    /// Products with the operator or its transpose in the whole run, common to all batch items.
    pub products: usize,
    /// The end of the run.
    pub status: Status,
    /// The first entry that is NaN or infinite, where the operator knows its entries.
    pub non_finite: Option<Position>,
}

impl SpectralNorm {
    /// The expected error of the gradient u vᵀ, relative to the gradient's norm 1: residual / gap.
    ///
    /// The residual counts as at least 2^-23 sigma, because rounding in `f32` hides a smaller residual. An accurate
    /// value says almost nothing of the gradient: the error of the value is about the square of the gradient's error.
    ///
    /// `None` where copies of the largest value were not counted ([`super::Lanczos::multiplicity`]), because a gap
    /// means nothing then. `None` also where there are several copies: no gradient exists, and the subgradient of
    /// [`SpectralNorms::vjp`] may jump.
    ///
    /// *Source*  Stewart and Sun, *Matrix Perturbation Theory*, 1990, V.4.
    pub fn gradient_error(&self) -> Option<f64> {
        let gap = self.gap.filter(|_| self.multiplicity == Some(1))?;
        let residual = self.residual.norm().max(MEASURABLE * self.sigma);
        Some(if gap > 0.0 { residual / gap } else { f64::INFINITY })
    }

    /// The result for an operator that is known to be zero or not finite.
    pub(crate) fn without_vectors(status: Status, non_finite: Option<Position>) -> Self {
        let sigma = if status == Status::NonFinite { f64::NAN } else { 0.0 };
        let zero = Bounds { lower: 0.0, upper: 0.0, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } };
        Self {
            sigma,
            bounds: if status == Status::Zero { zero } else { Bounds::NONE },
            residual: Residual::default(),
            second: None,
            gap: None,
            multiplicity: None,
            iterations: 0,
            products: 0,
            status,
            non_finite,
        }
    }
}

/// `0.674093 in [0.674092, 0.674095], certified`; the precision is the number of significant digits (6).
impl fmt::Display for SpectralNorm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bounds.fmt_around(self.sigma, formatter)
    }
}

/// Compares `sigma`.
impl AbsDiffEq for SpectralNorm {
    type Epsilon = f64;

    fn default_epsilon() -> f64 {
        f64::EPSILON
    }

    fn abs_diff_eq(&self, other: &Self, epsilon: f64) -> bool {
        self.sigma.abs_diff_eq(&other.sigma, epsilon)
    }
}

impl RelativeEq for SpectralNorm {
    fn default_max_relative() -> f64 {
        1e-6
    }

    fn relative_eq(&self, other: &Self, epsilon: f64, max_relative: f64) -> bool {
        self.sigma.relative_eq(&other.sigma, epsilon, max_relative)
    }
}

/// The spectral norms of all batch items of an operator, with their singular vectors in device memory.
///
/// [`SpectralNorms::single`] is the norm of an operator without a batch. A batch is indexed and iterated over.
///
/// ```
/// use approx::assert_relative_eq;
/// use opnorm::{Device, Matrix, norm::spectral_norm};
/// let matrix = Matrix::from_batch(&Device::new()?, 2, 1, 2, &[3.0, 4.0, 0.0, 1.0])?;
/// let norms = spectral_norm(&matrix)?;
/// assert_relative_eq!(norms[0].sigma, 5.0, max_relative = 1e-6);
/// assert!(norms.iter().all(|norm| norm.sigma > 0.9) && norms.single().is_err());
/// assert_eq!(norms.right_vector(1)?.len(), 2);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SpectralNorms {
    pub(crate) device: Device,
    pub(crate) items: Vec<SpectralNorm>,
    pub(crate) left: Tensor,
    pub(crate) right: Tensor,
    /// The vectors of all copies, where an item has several.
    pub(crate) copies: Option<Copies>,
}

/// The result of one batch item.
impl Index<usize> for SpectralNorms {
    type Output = SpectralNorm;

    /// # Panics
    /// As a slice, for an index that is not below [`SpectralNorms::len`].
    fn index(&self, item: usize) -> &SpectralNorm {
        &self.items[item]
    }
}

impl<'a> IntoIterator for &'a SpectralNorms {
    type Item = &'a SpectralNorm;
    type IntoIter = slice::Iter<'a, SpectralNorm>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The vectors of a result, for a run that starts from them.
impl<'a> From<&'a SpectralNorms> for StartVectors<'a> {
    fn from(norms: &'a SpectralNorms) -> Self {
        let usable = |item: &SpectralNorm| !matches!(item.status, Status::Zero | Status::NonFinite);
        Self { left: &norms.left, right: &norms.right, usable: norms.items.iter().map(usable).collect() }
    }
}

impl SpectralNorms {
    /// The result of the only batch item.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a batch of another number than 1.
    pub fn single(&self) -> Result<&SpectralNorm> {
        match &self.items[..] {
            [item] => Ok(item),
            items => Err(Error::ShapeMismatch {
                operation: "single norm",
                expected: "a batch of 1".to_owned(),
                found: format!("one of {}: take the norms by their indices", items.len()),
            }),
        }
    }

    /// The results of all batch items, as a slice.
    pub fn items(&self) -> &[SpectralNorm] {
        &self.items
    }

    /// The results of all batch items, in order.
    pub fn iter(&self) -> slice::Iter<'_, SpectralNorm> {
        self.items.iter()
    }

    /// The number of batch items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether the batch has no items.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The left singular vectors, batch × 1 × codomain; zeros for a batch item without vectors.
    pub fn left(&self) -> &Tensor {
        &self.left
    }

    /// The right singular vectors, batch × 1 × domain; zeros for a batch item without vectors.
    pub fn right(&self) -> &Tensor {
        &self.right
    }

    /// The left singular vectors of every copy of the largest value, batch × copies × codomain: orthonormal, with zeros
    /// past the copies of a batch item. The first copy is [`SpectralNorms::left`].
    ///
    /// There is one copy for each batch item where no item has more, and where copies were not counted
    /// ([`super::Lanczos::multiplicity`]).
    pub fn left_copies(&self) -> &Tensor {
        self.copies.as_ref().map_or(&self.left, |copies| &copies.left)
    }

    /// The right singular vectors of every copy of the largest value, batch × copies × domain, in the order of
    /// [`SpectralNorms::left_copies`].
    pub fn right_copies(&self) -> &Tensor {
        self.copies.as_ref().map_or(&self.right, |copies| &copies.right)
    }

    /// Reads the left singular vector of one batch item.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when there is no such batch item; [`Error::DeviceLost`].
    pub fn left_vector(&self, item: usize) -> Result<Vec<f32>> {
        self.device.block_on(self.vector(&self.left, item))
    }

    /// Reads the right singular vector of one batch item.
    ///
    /// # Errors
    /// As [`SpectralNorms::left_vector`].
    pub fn right_vector(&self, item: usize) -> Result<Vec<f32>> {
        self.device.block_on(self.vector(&self.right, item))
    }

    pub(super) async fn vector(&self, vectors: &Tensor, item: usize) -> Result<Vec<f32>> {
        if item >= self.items.len() {
            return Err(Error::ShapeMismatch {
                operation: "singular vector",
                expected: format!("an item below {}", self.items.len()),
                found: item.to_string(),
            });
        }
        let size = volume(&vectors.shape()[2..]);
        let mut recorder = self.device.recorder();
        let contents = recorder.read(&vectors.buffer().slice(item * size..(item + 1) * size))?;
        recorder.submit()?;
        contents.contents().await
    }
}
