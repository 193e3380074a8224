//! The judges: one for each goal of a Krylov subspace, called after each reading.

mod bound;
mod copies;
mod top;
mod value;
mod view;

use super::super::stop::{Stop, expected_error};
use super::chain::Chain;
use super::state::Goal;
use crate::bound::krylov::{Share, upper_bound};
use view::View;

/// Finds the leading triplet of the steps so far, in a space of at most `short` dimensions, and lets the judge of the
/// goal decide. `share` is the part along the singular vector that the first start may count on for an upper bound.
pub(super) fn judge(chain: &mut Chain, goal: Goal, short: usize, share: Option<&Share>) {
    if chain.state.rests() || chain.steps.len() == 0 || !chain.kept.is_empty() {
        return;
    }
    chain.earlier = (chain.judged, chain.error);
    chain.judged = chain.steps.len();
    let full = chain.steps.dimensions() >= short;
    let matrix = chain.steps.matrix();
    let leading = matrix.leading();
    let residual = matrix.residual_of(&leading.left) / leading.sigma.max(f64::MIN_POSITIVE);
    chain.error = if chain.steps.has_ended() || full { 0.0 } else { expected_error(residual) };
    if let Some(share) = share.filter(|_| chain.is_first_space()) {
        chain.first.upper = upper_bound(chain.first.space.steps(), leading.sigma, share.part);
    }
    (chain.leading, chain.second) = (Some(leading), None);
    let view = View { matrix, residual, full };
    match goal {
        Goal::Norm { stop: Stop::Bound { .. }, .. } => bound::judge(chain, &view),
        Goal::Norm { stop, multiplicity: true } => copies::judge(chain, stop, &view),
        Goal::Norm { stop, multiplicity: false } => {
            value::judge(chain, stop, &view);
            // Here, because judgements of many chains run side by side.
            chain.second = chain.state.is_done().then(|| view.matrix.value(2));
        }
        Goal::Top { count, rtol } => top::judge(chain, (count, rtol), &view),
    }
}
