//! The judge of an upper bound: whether further steps of the first space can narrow the bound.

use super::super::chain::Chain;
use super::super::state::State;
use super::view::View;

/// The number of steps without a narrower bound, or a third of all, after which rounding stands in the way.
const PATIENCE: usize = 16;

pub(super) fn judge(chain: &mut Chain, view: &View) {
    let excess = chain.first.upper / chain.sigma() - 1.0;
    let steps = chain.steps.len();
    if excess < 0.99 * chain.first.narrowest.0 {
        chain.first.narrowest = (excess, steps);
    }
    let stuck = steps >= chain.first.narrowest.1 + PATIENCE.max(steps / 3);
    let (full, again) = (view.full, chain.steps.has_started_again());
    if chain.sigma() > f64::MIN_POSITIVE {
        if full || chain.steps.has_ended() || stuck || again {
            chain.state = State::Settled { residual: view.residual };
        }
    } else if full || again {
        // A start in the null space, and then another: the operator is zero to working accuracy.
        chain.finish();
    }
}
