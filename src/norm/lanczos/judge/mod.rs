//! The judges: one for each goal of a Krylov space, called after each reading.

mod bound;
mod copies;
mod top;
mod value;

use super::super::probable::{Share, upper_bound};
use super::super::stop::{Stop, expected_error};
use super::bidiagonal::Bidiagonal;
use super::chain::Chain;
use super::state::Goal;

/// Steps that a chain takes from a further start, after its first space turned out invariant.
const PROBE_STEPS: usize = 10;

/// What the judges see of a chain.
struct View {
    /// The bidiagonal matrix of all steps.
    matrix: Bidiagonal,
    /// The residual of the leading triplet, relative to sigma.
    residual: f64,
    /// Whether the space has all dimensions that there are.
    full: bool,
}

/// Finds the leading triplet of the steps so far, and lets the judge of the goal decide.
pub(super) fn judge(chain: &mut Chain, goal: Goal, short: usize, share: Option<&Share>) {
    let full = chain.steps.dimensions() >= short;
    let matrix = chain.steps.matrix();
    let leading = matrix.leading();
    let residual = matrix.residual_of(&leading.left) / leading.sigma.max(f64::MIN_POSITIVE);
    chain.error = if chain.steps.has_ended() || full { 0.0 } else { expected_error(residual) };
    if let Some(share) = share.filter(|_| chain.is_first_space()) {
        chain.first.upper = upper_bound(chain.first.space.steps(), leading.sigma, share.part);
    }
    chain.leading = Some(leading);
    let view = View { matrix, residual, full };
    match goal {
        Goal::Norm { stop: Stop::Bound { .. }, .. } => bound::judge(chain, &view),
        Goal::Norm { stop, multiplicity: true } => copies::judge(chain, stop, &view),
        Goal::Norm { stop, multiplicity: false } => value::judge(chain, stop, &view),
        Goal::Top { count, rtol } => top::judge(chain, (count, rtol), &view),
    }
}
