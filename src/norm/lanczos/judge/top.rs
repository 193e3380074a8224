//! The judge of the `count` largest triplets: whether they have converged, and a start orthogonal to them found nothing
//! larger.

use super::super::super::stop::expected_error;
use super::super::chain::Chain;
use super::view::View;

type Triplet = (f64, Vec<f64>, Vec<f64>);

pub(super) fn judge(chain: &mut Chain, wanted: (usize, f64), view: &View) {
    if view.full || is_settled(chain, wanted) {
        chain.finish();
    }
}

fn is_settled(chain: &mut Chain, (count, rtol): (usize, f64)) -> bool {
    let (matrix, slots) = chain.steps.matrix_of_vectors();
    let (largest, ended) = (chain.sigma(), chain.steps.has_ended());
    // The last triplet converges last as a rule, so that its residual is the first to look at.
    let last = if slots.len() < count { f64::INFINITY } else { matrix.residual_of_rank(count) };
    let accurate = |residual: f64| residual <= 0.1 * rtol * largest;
    chain.error = expected_error(last / largest.max(f64::MIN_POSITIVE));
    if !accurate(last) && !ended {
        return false;
    }
    let triplets = matrix.triplets();
    let wanted = &triplets[..count.min(triplets.len())];
    let worst = wanted.iter().map(|triplet| matrix.residual_of(&triplet.1)).fold(0.0, f64::max);
    chain.error = expected_error(worst / largest.max(f64::MIN_POSITIVE));
    let settled = wanted.len() == count && accurate(worst);
    if !settled && !ended {
        return false;
    }
    if chain.steps.latest_start() == 0 {
        // Another start, because the subspace found is invariant to working accuracy.
        chain.steps.close();
        return false;
    }
    let first = slots.partition_point(|slot| *slot < chain.steps.latest_start());
    // The latest space counts by the triplets that live in that space; the largest of them must have converged, and be
    // below the rest.
    let lives_there = |triplet: &&Triplet| triplet.2[first..].iter().map(|part| part * part).sum::<f64>() > 0.5;
    let entered = wanted.iter().any(|triplet| lives_there(&triplet));
    let below = triplets.iter().find(lives_there).is_none_or(|triplet| {
        let residual = matrix.residual_of(&triplet.1);
        residual <= 1e-2 * (wanted.last().map_or(0.0, |last| last.0) - triplet.0).max(0.0) || accurate(residual)
    });
    if !(below || ended) {
        return false;
    }
    if entered && (settled || ended) {
        // The latest start found a copy of a repeated value, or a missed value: there may be more.
        chain.steps.close();
        return false;
    }
    settled
}
