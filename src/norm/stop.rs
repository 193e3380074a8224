//! When a Lanczos run has converged.

use super::bidiagonal::{Bidiagonal, Leading};

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
const MEASURABLE: f64 = 1.0 / 8_388_608.0;

/// The relative error that a finished triplet lets one expect, from its true residual and the gap, both relative.
pub(super) fn final_error(residual: f64, gap: Option<f64>) -> f64 {
    let residual = residual.max(MEASURABLE);
    let linear = residual / std::f64::consts::SQRT_2;
    match gap {
        Some(gap) if gap > 0.0 => linear.min(residual * residual / (2.0 * gap)),
        _ => linear,
    }
}
