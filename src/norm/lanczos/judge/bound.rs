//! The judge of an upper bound: whether the first space has anything more to say.

use super::super::chain::Chain;
use super::super::state::State;
use super::view::View;

/// Steps without a narrower bound after which rounding is what stands in the way: so many, or a third of all.
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
        // A start in the null space, and another one: the operator is as good as zero.
        chain.finish();
    }
}
