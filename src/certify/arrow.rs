//! The bound of a matrix from the bounds of two parts and of their coupling.

use faer::Mat;

use super::definite::largest_eigenvalue;
use super::deflation::Deflation;
use crate::bound::Up;
use crate::bound::down;

/// A bound of ‖B‖, from the part taken out of B and a bound of the norm of the remainder. *(C10)*
///
/// Let x = X a + y be a unit vector with y orthogonal to X. Then |Bx|² <= aᵀ Θ a + 2 |y| Σ r_j |a_j| + c² |y|² and (1 -
/// ω) |a|² + |y|² <= 1. So |Bx|² is at most the largest eigenvalue of an arrow of magnitudes.
pub(super) fn norm_above(deflation: &Deflation, rest: Up) -> Up {
    let count = deflation.coupling.len();
    let kept = down(1.0 - deflation.skewness.value());
    if !rest.value().is_finite() || kept.is_nan() || kept <= 0.5 {
        return deflation.frobenius;
    }
    let mut arrow = Mat::zeros(count + 1, count + 1);
    for col in 0..count {
        for row in col..count {
            arrow[(row, col)] = Up::of(deflation.theta[(row, col)].abs()).over(kept).value();
        }
        arrow[(count, col)] = deflation.coupling[col].over(down(kept.sqrt())).value();
    }
    arrow[(count, count)] = (rest * rest).value();
    let square = Up::of(largest_eigenvalue(&arrow).bound.max(0.0)) + deflation.theta_error.over(kept);
    square.sqrt().min(deflation.frobenius)
}
