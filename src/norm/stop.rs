//! The stopping rules of a Lanczos run.

use super::Bounds;
use crate::{Error, Result};

/// The aim of a run of [`super::Lanczos`]: a value, bounds, or a gradient.
///
/// ```
/// use opnorm::{Device, Matrix, norm::{Lanczos, Stop}};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[3.0, 0.0, 0.0, 1.0])?;
/// let stop = Stop::Bound { rtol: 1e-3, delta: 1e-6 };
/// let norms = Lanczos { stop, ..Lanczos::default() }.norm(&matrix)?;
/// let bounds = norms.single()?.bounds;
/// assert!(bounds.lower <= 3.0 && 3.0 <= bounds.upper && bounds.width() <= 1e-3);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Stop {
    /// An estimate of the norm: until residual and gap let one expect a relative error of at most `rtol`.
    ///
    /// No residual says that the singular value found is the largest. With a random start a larger value is missed with
    /// a probability next to 0.
    Value {
        /// The relative error of sigma, positive. The default is 1e-6.
        rtol: f64,
    },
    /// A bound of the norm: until upper / lower - 1 <= `rtol`, where the upper bound fails for at most the share
    /// `delta` of all start vectors (Hochstenbach 2013; `docs/bounds.md`, P10).
    ///
    /// Rounding in `f32` stands in the way below about 1e-6, and sooner where products of the operator cancel. Such a
    /// run ends as [`super::Status::Stagnated`], with the bounds it reached.
    Bound {
        /// The relative distance of the bounds, positive.
        rtol: f64,
        /// The failure probability of the bounds, between 0 and 1.
        delta: f64,
    },
    /// The gradient u vᵀ: until residual / gap, which is its error relative to its norm, is at most `tolerance`.
    ///
    /// The gap is the distance to the next distinct value, once a second start has found no further copy of the
    /// largest; see [`super::Lanczos::multiplicity`]. `f32` reaches about 1e-7 sigma / gap: a run that asks for less
    /// ends as [`super::Status::Stagnated`].
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
    /// The limit that errors are held against.
    pub(super) fn tolerance(self) -> f64 {
        match self {
            Self::Value { rtol } | Self::Bound { rtol, .. } => rtol,
            Self::Gradient { tolerance } => tolerance,
        }
    }

    /// Refuses a tolerance out of range.
    pub(super) fn check(self) -> Result<()> {
        let tolerance = self.tolerance();
        if tolerance.is_finite() && tolerance > 0.0 {
            return Ok(());
        }
        let option = if matches!(self, Self::Gradient { .. }) { "tolerance" } else { "rtol" };
        let (value, allowed) = (tolerance.to_string(), "positive and finite");
        Err(Error::InvalidOption { operation: "Lanczos", option, value, allowed })
    }

    /// Whether a finished triplet is accepted, by its true residual and the gap, both relative to sigma.
    pub(super) fn is_met(self, residual: f64, gap: Option<f64>, bounds: &Bounds) -> bool {
        match self {
            Self::Value { rtol } => final_error(residual, gap) <= rtol,
            Self::Bound { rtol, .. } => bounds.width() <= rtol,
            Self::Gradient { tolerance } => gap.is_some_and(|gap| residual.max(MEASURABLE) <= tolerance * gap),
        }
    }
}

/// The relative error to expect of sigma while a run goes on, from the residual, relative to sigma.
///
/// Some singular value always lies within residual / √2 of sigma; the largest may lie further away. With the other
/// values at least a gap away, the error is residual² / (2 gap), which is far smaller.
///
/// But a Krylov subspace of k steps shows values closer than about (π / 2k)² sigma as one value. This is the resolution
/// of Chebyshev polynomials of degree 2k at the end of their interval. The gap to the rest says nothing of such values.
/// They are common where a spectrum is dense at its edge: the largest values of the Grcar matrix are 1e-4 to 1e-6
/// apart.
///
/// With parts c₁ and c₂ along the vectors of two values w apart, the residual is 2 w c₁ c₂ and the error w c₂². So the
/// error is the residual times c₂ / 2c₁: at most ten times the residual but for one start in thirty.
pub(super) fn expected_error(residual: f64) -> f64 {
    10.0 * residual
}

/// The smallest relative residual that `f32` products can tell from zero.
pub(super) const MEASURABLE: f64 = 1.0 / 8_388_608.0;

/// The relative error to expect of a finished triplet, from its true residual and the gap, both relative.
pub(super) fn final_error(residual: f64, gap: Option<f64>) -> f64 {
    let residual = residual.max(MEASURABLE);
    let linear = residual / std::f64::consts::SQRT_2;
    match gap {
        Some(gap) if gap > 0.0 => linear.min(residual * residual / (2.0 * gap)),
        _ => linear,
    }
}
