//! The stopping test of a power iteration.

/// The result of [`power_check`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerChecked {
    /// The estimate of the largest singular value.
    pub sigma: f64,
    /// The norm of the residual.
    pub residual: f64,
    /// The bound on the residual.
    pub threshold: f64,
}

impl PowerChecked {
    /// Whether the iteration may stop.
    pub fn converged(&self) -> bool {
        self.residual <= self.threshold
    }
}

/// The test `residual <= rtol · scale + atol` with `residual = √(Σₛ squares[s])`.
///
/// Two-sided, `sigma = scale = forward = |Av|`. In the Gram form, `sigma² = forward · backward = |Av| |AᵀAv / |Av||`,
/// `scale = backward`, and `atol` is divided by `forward`, as the residual was.
pub fn power_check(
    squares: &[f64],
    (forward, backward): (f64, f64),
    gram: bool,
    (rtol, atol): (f64, f64),
) -> PowerChecked {
    let residual = squares.iter().sum::<f64>().sqrt();
    if gram {
        let sigma = forward.sqrt() * backward.sqrt();
        return PowerChecked { sigma, residual, threshold: rtol * backward + atol / forward };
    }
    PowerChecked { sigma: forward, residual, threshold: rtol * forward + atol }
}
