//! When a Lanczos run has converged.

use super::Bounds;
use super::bidiagonal::{Bidiagonal, Leading};
use crate::{Error, Result};

/// What a run of [`super::Lanczos`] goes on for.
///
/// ```
/// use opnorm::{Gpu, Matrix, norm::{Lanczos, Stop}};
/// let matrix = Matrix::from_slice(&Gpu::new()?, 2, 2, &[3.0, 0.0, 0.0, 1.0])?;
/// let stop = Stop::Bound { rtol: 1e-3, delta: 1e-6 };
/// let norms = Lanczos { stop, ..Lanczos::default() }.norm(&matrix)?;
/// let bounds = norms.items()[0].bounds;
/// assert!(bounds.lower <= 3.0 && 3.0 <= bounds.upper && bounds.width() <= 1e-3);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Stop {
    /// An estimate of the norm: until residual and gap let one expect a relative error of at most `rtol`.
    ///
    /// No residual says that the singular value found is the largest; a random start makes it all but sure.
    Value {
        /// The relative error of sigma, positive. The default is 1e-6.
        rtol: f64,
    },
    /// A bound of the norm: until upper / lower - 1 <= `rtol`, where the upper bound fails for at most the share `delta` of
    /// all start vectors (Hochstenbach 2013; `docs/bounds.md`, P12).
    ///
    /// Rounding in `f32` stands in the way below some 1e-5, for sides in the thousands: such a run ends as
    /// [`super::Status::Stagnated`], with the bounds it reached.
    Bound {
        /// The relative distance of the bounds, positive.
        rtol: f64,
        /// The probability with which they may fail, between 0 and 1.
        delta: f64,
    },
    /// The gradient u vᵀ: until residual / gap, which is its error relative to its norm, is at most `tolerance`.
    ///
    /// The gap is that to the next distinct value, once a second start has shown that no copy of the largest was missed; see
    /// [`super::Lanczos::multiplicity`]. `f32` reaches about 1e-7 sigma / gap: a run that asks for less ends as
    /// [`super::Status::Stagnated`].
    Gradient {
        /// The relative error of the gradient, positive.
        tolerance: f64,
    },
}

impl Default for Stop {
    fn default() -> Self {
        Self::Value { rtol: 1e-6 }
    }
}

impl Stop {
    /// The number that errors are held against.
    pub(super) fn tolerance(self) -> f64 {
        match self {
            Self::Value { rtol } | Self::Bound { rtol, .. } => rtol,
            Self::Gradient { tolerance } => tolerance,
        }
    }

    /// Refuses a tolerance that means nothing.
    pub(super) fn check(self) -> Result<()> {
        let tolerance = self.tolerance();
        if tolerance.is_finite() && tolerance > 0.0 {
            return Ok(());
        }
        let option = if matches!(self, Self::Gradient { .. }) { "tolerance" } else { "rtol" };
        let (value, allowed) = (tolerance.to_string(), "positive and finite");
        Err(Error::InvalidOption { operation: "Lanczos", option, value, allowed })
    }

    /// Whether a finished triplet is what was asked for, by its true residual and the gap, both relative to sigma.
    pub(super) fn is_met(self, residual: f64, gap: Option<f64>, bounds: &Bounds) -> bool {
        match self {
            Self::Value { rtol } => final_error(residual, gap) <= rtol,
            Self::Bound { rtol, .. } => bounds.width() <= rtol,
            Self::Gradient { tolerance } => gap.is_some_and(|gap| residual.max(MEASURABLE) <= tolerance * gap),
        }
    }
}

/// What the projected problem says of one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    /// The relative error to expect of sigma.
    pub(super) error: f64,
    /// Whether sigma is the edge of a dense spectrum, as far as the space can tell.
    pub(super) dense_edge: bool,
}

/// Steps from which on neighbouring singular values count as told apart as far as the gap shows; see [`estimate`].
const RESOLVED: usize = 32;

/// The relative error to expect after `steps` steps.
///
/// A singular value lies within residual / √2 of sigma, always. With the others at least a gap away the error is
/// residual² / (2 gap), which is far smaller, but the gap is an estimate too: a short Krylov space shows a cluster as one
/// value, its residual then being about the width of the cluster, and the gap to the rest says nothing. A space of k steps
/// tells values apart that are about (π / 2k)² sigma from each other (the resolution of Chebyshev polynomials of degree
/// 2k at the end of their interval). So the quadratic estimate counts only once k is at least 32 and the gap is no
/// larger than a few times that resolution, as at the edge of a dense spectrum; a value that stands apart, and may be a
/// cluster, converges fast and is iterated until its residual itself is a tenth of the tolerance. What was such an edge at
/// one step (`known_edge`) stays one: a longer space only resolves its gap better.
pub(super) fn estimate(matrix: &Bidiagonal, leading: &Leading, steps: usize, known_edge: bool) -> Estimate {
    let sigma = leading.sigma.max(f64::MIN_POSITIVE);
    let residual = matrix.residual_of(&leading.left) / sigma;
    let gap = (leading.sigma - leading.second).max(0.0) / sigma;
    let resolution = (std::f64::consts::FRAC_PI_2 / steps.max(1) as f64).powi(2);
    let linear = 10.0 * residual;
    let dense_edge = known_edge || (steps >= RESOLVED && gap <= 4.0 * resolution);
    let error = if dense_edge { linear.min(residual * residual / gap.max(f64::MIN_POSITIVE)) } else { linear };
    Estimate { error, dense_edge }
}

/// The smallest relative residual that `f32` products can tell from zero.
pub(super) const MEASURABLE: f64 = 1.0 / 8_388_608.0;

/// The relative error that a finished triplet lets one expect, from its true residual and the gap, both relative.
fn final_error(residual: f64, gap: Option<f64>) -> f64 {
    let residual = residual.max(MEASURABLE);
    let linear = residual / std::f64::consts::SQRT_2;
    match gap {
        Some(gap) if gap > 0.0 => linear.min(residual * residual / (2.0 * gap)),
        _ => linear,
    }
}
