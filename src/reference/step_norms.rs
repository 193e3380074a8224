//! alpha and beta of a step: beta = root of a sum of squares, inverse = 1 / beta, and shift = beta / alpha.

use super::normaliser::normaliser;

/// The result of [`step_norms`] for one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepNorms {
    /// The norm of the short side; 0 where the vector stops before.
    pub beta: f64,
    /// 1 / beta, or 0 where the vector stops.
    pub inverse: f64,
    /// beta / alpha, or 0 where the vector stops.
    pub shift: f64,
    /// The largest norm so far.
    pub largest: f64,
    /// Whether a norm is rounding noise beside the largest.
    pub breakdown: bool,
    /// Whether a norm is NaN or infinite.
    pub non_finite: bool,
    /// The number of the last norm: 0 for alpha, 1 for beta.
    pub last: u32,
}

/// The norms of a step, each judged as [`normaliser`] does: alpha is given, and `beta = √(Σₛ squares[s])`.
pub fn step_norms(alpha: f64, squares: &[f64], largest: f64, breakdown: f64) -> StepNorms {
    let first = normaliser(&[alpha * alpha], 1.0, largest, breakdown);
    let stopped = |stop: super::Normalised, beta, last| {
        let super::Normalised { largest, breakdown, non_finite, .. } = stop;
        StepNorms { beta, inverse: 0.0, shift: 0.0, largest, breakdown, non_finite, last }
    };
    if first.breakdown || first.non_finite {
        return stopped(first, 0.0, 0);
    }
    let second = normaliser(squares, 1.0, first.largest, breakdown);
    match second {
        _ if second.breakdown || second.non_finite => stopped(second, second.norm, 1),
        _ => StepNorms { inverse: second.inverse, shift: second.norm / alpha, ..stopped(second, second.norm, 1) },
    }
}
