//! The judge of a value: whether the expected error is within the tolerance.

use super::super::super::stop::Stop;
use super::super::chain::Chain;
use super::view::{PROBE_STEPS, View};

pub(super) fn judge(chain: &mut Chain, stop: Stop, view: &View) {
    let steps = &chain.steps;
    // An invariant space shows repeated values once: a further start tests the rest.
    let probed = match steps.has_started_again() {
        true => steps.has_ended() || steps.since_start() >= PROBE_STEPS,
        false => !steps.has_ended(),
    };
    if chain.error <= stop.tolerance() && (view.full || probed) {
        chain.finish();
    }
}
