//! The judge of a multiplicity: whether to look for copies of the leading triplet, and whether the latest start found
//! one.

use super::super::super::stop::{Stop, expected_error};
use super::super::bidiagonal::Bidiagonal;
use super::super::chain::Chain;
use super::super::state::State;
use super::view::{PROBE_STEPS, View};

/// The relative difference up to which singular values are copies. The difference that `f32` entries and products make
/// between exact copies lies well below.
const COPY: f64 = 1.0 / 1_048_576.0;

/// The relative residual below which a triplet has the accuracy of `f32`, so that values tell copies.
const SHARP: f64 = 1e-7;

/// The residual, in parts of the distance to sigma, at which a probe has found the largest remaining value. A copy
/// along which the probe's start has a part of 1/100 would still show.
const PROBED: f64 = 1e-4;

pub(super) fn judge(chain: &mut Chain, stop: Stop, view: &View) {
    let sigma = chain.sigma();
    if sigma <= f64::MIN_POSITIVE {
        // After a start in the null space another start tells whether the operator is zero.
        if view.full || chain.steps.has_started_again() {
            chain.finish();
        }
        return;
    }
    let copies = view.matrix.count_from(sigma * (1.0 - COPY)).max(1);
    let second = view.matrix.value(copies + 1);
    chain.second = Some(second);
    let accuracy = Accuracy { stop, gap: 1.0 - (second / sigma).max(chain.next) };
    if !chain.steps.has_ended() && !view.full {
        chain.error = accuracy.error(view.residual);
    }
    match chain.state {
        State::Probing { residual } => probing(chain, (residual, &accuracy), (copies, second), view.full),
        _ => searching(chain, &accuracy, copies, view),
    }
}

/// The accuracy that a triplet is to have.
struct Accuracy {
    stop: Stop,
    /// The distance to the next distinct value, relative to sigma.
    gap: f64,
}

impl Accuracy {
    fn error(&self, residual: f64) -> f64 {
        match self.stop {
            Stop::Gradient { .. } => residual / self.gap.max(f64::MIN_POSITIVE),
            _ => expected_error(residual),
        }
    }

    /// Whether a residual is within `part` of the tolerance. The rest is for rounding, and for a smaller gap that a
    /// probe may find.
    fn suffices(&self, residual: f64, part: f64) -> bool {
        match self.stop {
            Stop::Gradient { tolerance } => {
                residual <= SHARP / 2.0
                    || (residual <= part * tolerance * self.gap && residual * residual <= SHARP * self.gap)
            }
            _ => residual <= SHARP,
        }
    }
}

fn searching(chain: &mut Chain, accuracy: &Accuracy, copies: usize, view: &View) {
    if view.full {
        chain.copies = Some(copies);
        chain.finish();
    } else if chain.steps.has_ended() || accuracy.suffices(view.residual, 0.5) {
        let residual = if chain.steps.has_ended() { 0.0 } else { view.residual };
        chain.state = State::Settled { residual };
        keep(chain, &view.matrix);
    }
}

fn probing(chain: &mut Chain, (first, accuracy): (f64, &Accuracy), (copies, second): (usize, f64), full: bool) {
    let sigma = chain.sigma();
    let probe = chain.steps.latest_matrix();
    let found = probe.leading();
    let residual = if full { 0.0 } else { probe.residual_of(&found.left) / sigma };
    let distance = 1.0 - found.sigma / sigma;
    if distance <= COPY && !full {
        if residual <= SHARP {
            // Another start, because there may be more copies.
            keep(chain, &probe);
            chain.steps.close();
        }
        return;
    }
    let found_all = chain.steps.since_start() >= PROBE_STEPS && residual <= (PROBED * distance).max(SHARP / 2.0);
    if !(full || chain.steps.has_ended() || found_all) {
        return;
    }
    chain.next = second / sigma;
    // A full space tells the gap, but its leading triplet was closed off from the rest: a new cycle sharpens it.
    if accuracy.suffices(first, 0.7) || (full && chain.restarted) {
        chain.copies = Some(copies);
        chain.finish();
    } else {
        chain.state = State::Again;
    }
}

/// Marks the copies of the largest value in a space as the vectors to keep.
fn keep(chain: &mut Chain, space: &Bidiagonal) {
    let sigma = chain.sigma();
    let least = sigma * (1.0 - COPY);
    if space.count_from(least) <= 1 {
        let leading = space.leading();
        chain.kept = vec![(leading.sigma, leading.right)];
        return;
    }
    let sharp = |left: &[f64]| space.residual_of(left) <= SHARP * sigma;
    let copies = space.triplets().into_iter().enumerate();
    chain.kept = copies
        .filter(|(rank, (value, left, _))| *rank == 0 || (*value >= least && sharp(left)))
        .map(|(_, (value, _, right))| (value, right))
        .collect();
}
