//! The upper bound, from the steps of a Krylov subspace.

/// The largest loss, by rounding a start vector to `f32`, of its part along any fixed direction (P6).
const START_ERROR: f64 = 1.0 / 8_388_608.0;

/// One step of a Krylov subspace (P7): AᵀA v_j = tau_{j-1} v_{j-1} + T_jj v_j + tau_j v_{j+1} + h_j.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// T_jj
    pub diagonal: f64,
    /// tau_j
    pub coupling: f64,
    /// An upper bound of |h_j|.
    pub error: f64,
    /// An upper bound of |tau_j v_{j+1} + h_j|.
    pub residual: f64,
}

/// An upper bound of the norm from the steps of a Krylov subspace (P10): infinite where the steps prove nothing, never
/// below `sigma`.
///
/// The start has at least `part` of its length along the first singular vector.
///
/// `sigma` is the largest singular value of the bidiagonal matrix, in the units of the steps.
pub fn upper_bound(steps: &[Step], sigma: f64, part: f64) -> f64 {
    let part = part - START_ERROR;
    if steps.is_empty() || sigma <= 0.0 || part <= 0.0 {
        return f64::INFINITY;
    }
    let relative = |value: f64| value / sigma / sigma;
    let scale = |step: &Step| Step {
        diagonal: relative(step.diagonal),
        coupling: relative(step.coupling),
        error: relative(step.error),
        residual: relative(step.residual),
    };
    let scaled: Vec<Step> = steps.iter().map(scale).collect();
    let (mut low, mut high) = (1.0f64, 2.0);
    while !excludes(&scaled, high * high, part) {
        (low, high) = (high, 2.0 * high);
        if high > 1e60 {
            return f64::INFINITY;
        }
    }
    while high - low > 1e-12 * high {
        let middle = low + (high - low) / 2.0;
        if excludes(&scaled, middle * middle, part) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high * sigma * (1.0 + 1e-12)
}

/// The error of one step of the recurrence of polynomials in `f64`, relative to the square of the norm.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// The relative error in `f64` of sums of a thousand terms, and of a few products.
const SLACK: f64 = 1e-12;

/// Whether no operator with a norm of at least √`square` can have given these steps from a start with `part` along its
/// first singular vector (P10).
fn excludes(steps: &[Step], square: f64, part: f64) -> bool {
    // p_{j-1} and p_{j-2}, tau_{j-1}, the sum S of errors, and the loss of the part by these errors.
    let (mut current, mut before, mut coupling) = (1.0, 0.0, 0.0);
    let (mut sum, mut loss) = (0.0, 0.0);
    for step in steps {
        let next = (square - step.diagonal) * current - coupling * before;
        // A norm that is not above every root of the polynomials cannot be excluded.
        if next.is_nan() || next <= 0.0 {
            return false;
        }
        let seen = (next - ROUNDING * square * current) * (part - loss);
        if seen * (1.0 - SLACK) > step.residual + sum / current {
            return true;
        }
        sum += (step.error + ROUNDING * square) * current * (1.0 + SLACK);
        loss += sum / (next * current) * (1.0 + SLACK);
        if loss.is_nan() || loss >= part || step.coupling <= 0.0 {
            return false;
        }
        (before, current, coupling) = (current, next / step.coupling, step.coupling);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_gives_what_one_can_work_out() {
        let step = |diagonal: f64, error: f64, residual: f64| Step { diagonal, coupling: residual, error, residual };
        // One step: (t - T) d = |R|.
        let upper = upper_bound(&[step(4.0, 1e-6, 0.2)], 2.0, 0.01);
        let exact = (4.0f64 + 0.2 / (0.01 - START_ERROR)).sqrt();
        assert!(upper >= exact && upper < exact * (1.0 + 1e-9), "{upper} {exact}");
        assert_eq!(upper_bound(&[], 1.0, 0.01), f64::INFINITY);
        assert_eq!(upper_bound(&[step(1.0, 0.0, 0.1)], 1.0, 1e-9), f64::INFINITY);
        // The remainder of the last step stays in the bound.
        let of = |residual: f64, error: f64| {
            upper_bound(&[step(1.0, error, 0.3), step(0.5, error, residual)], 1.067_947, 0.1)
        };
        assert!(of(1e-7, 1e-6) > 1.067_947 && of(1e-3, 1e-6) > of(1e-7, 1e-6));
        // Exact arithmetic on the same values gives no larger bound; errors of the size of the part give no closer
        // bound.
        assert!(of(1e-3, 0.0) < of(1e-3, 1e-4) && of(1e-3, 1e-4) < of(1e-3, 1.0));
        assert!(upper_bound(&[step(1.0, f64::INFINITY, f64::INFINITY)], 1.0, 0.1).is_infinite());
        assert!(upper_bound(&[step(f64::NAN, 0.0, 0.1)], 1.0, 0.1).is_infinite());
    }
}
