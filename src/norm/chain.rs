//! One Krylov space, as the host sees it: alphas, betas, and when they suffice.

use std::ops::Range;

use super::bidiagonal::{Bidiagonal, Leading};
use super::probable::{Share, upper_bound};
use super::result::Status;
use super::space::Space;
use super::stop::{Stop, expected_error};

/// When a chain is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// The largest singular value is as `stop` says, its copies counted where `multiplicity` says so.
    Norm { stop: Stop, multiplicity: bool },
    /// The largest `count` triplets are within the tolerance, copies of repeated values included.
    Top { count: usize, rtol: f64 },
}

/// Steps that a chain takes from a second start, after its first space turned out invariant.
const PROBE_STEPS: usize = 10;

/// Singular values that differ by no more than this, relative to the largest, are copies of one: what `f32` entries and
/// products leave of an exact copy lies well below it.
pub(super) const COPY: f64 = 1.0 / 1_048_576.0;

/// The relative residual below which a triplet is as good as `f32` gives it, and copies can be told by their values.
const SHARP: f64 = 1e-7;

/// A probe has found the largest value of what is left once its residual is this part of the distance to sigma: a copy that
/// the probe's start has a part along of a hundredth would still show.
const PROBED: f64 = 1e-4;

/// Relative size of a norm that is nothing but rounding, times √steps.
const BREAKDOWN: f32 = 4.0 / 8_388_608.0;

/// The relative size up to which a norm of this step is nothing but rounding.
pub(super) fn breakdown(step: usize) -> f32 {
    BREAKDOWN * ((step + 1) as f32).sqrt()
}

/// What is left of a space once a chain starts again.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    /// The slot of its first vector.
    pub(super) start: usize,
    /// Coefficients, in its slots, of what takes their place: all of them stay where there is none.
    pub(super) kept: Vec<Vec<f64>>,
    /// Slots that hold nothing the chain knows of any more.
    pub(super) idle: Range<usize>,
}

/// What a chain does next, when it is not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// It goes on.
    #[default]
    Searching,
    /// It has nothing more to say, and waits for the other chains of its item.
    Settled,
    /// It looks for copies of what it found, from one start after the other.
    Probing,
    /// It found a gap so small that its triplet is not accurate enough: it needs a new cycle.
    Again,
}

/// The Krylov space of one start vector of one item.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    alphas: Vec<f64>,
    betas: Vec<f64>,
    largest: f32,
    /// The space of the first start, never restarted, for its upper bound.
    pub(super) first: Space,
    /// Whether that space has ended by a restart.
    restarted: bool,
    /// What that space says the norm is not above, infinite where no bound was asked for.
    pub(super) upper: f64,
    /// The least upper / sigma - 1 so far, and the steps that it took.
    narrowest: (f64, usize),
    /// Steps at which a start vector was put in; several where spaces turned out invariant.
    starts: Vec<usize>,
    /// Steps taken when it became idle; the device may have gone on for a while.
    idle_from: Option<usize>,
    /// Slots that hold no vector, as the chain was idle then.
    empty: Vec<usize>,
    /// Whether the latest space is invariant.
    pub(super) invariant: bool,
    /// Of the latest space, the copies of the largest value to be kept, with coefficients of their right vectors; the rest of
    /// it is forgotten with the next start.
    kept: Vec<(f64, Vec<f64>)>,
    dimensions: usize,
    pub(super) stage: Stage,
    pub(super) done: Option<Status>,
    /// Whether the run has taken note that it is done.
    pub(super) closed: bool,
    /// Iterations until it was done, earlier cycles included.
    pub(super) iterations: usize,
    pub(super) leading: Option<Leading>,
    pub(super) error: f64,
    /// Copies of the largest value, once they are counted.
    pub(super) copies: Option<usize>,
    /// The next distinct value that a probe found, earlier cycles included, relative to sigma.
    next: f64,
    /// The relative residual of the leading triplet when its space was closed off.
    residual: f64,
    /// Steps at the last reading, and steps and error at the one before.
    judged: usize,
    earlier: (usize, f64),
}

impl Chain {
    /// A chain that has not begun; one of an item that is settled already never does.
    pub(super) fn new(open: bool) -> Self {
        Self {
            done: (!open).then_some(Status::Zero),
            closed: !open,
            starts: vec![0],
            error: f64::INFINITY,
            upper: f64::INFINITY,
            narrowest: (f64::INFINITY, 0),
            ..Self::default()
        }
    }

    /// The chain that starts again from this one's best vector: its bound is that of the first space for good.
    pub(super) fn restarted(&self) -> Self {
        Self {
            starts: vec![0],
            error: self.error,
            largest: self.largest,
            restarted: true,
            upper: self.upper,
            next: self.next,
            ..Self::default()
        }
    }

    /// Takes in one step, as the device measured it.
    pub(super) fn take(&mut self, step: usize, alpha: f32, beta: f32) {
        if self.done.is_some() {
            return;
        }
        if self.invariant || matches!(self.stage, Stage::Settled | Stage::Again) {
            if self.idle_from.is_none() {
                self.idle_from = Some(self.alphas.len());
                self.close_off();
            }
            self.empty.push(self.alphas.len());
            self.alphas.push(0.0);
            self.betas.push(0.0);
            return;
        }
        if !alpha.is_finite() || !beta.is_finite() {
            self.done = Some(Status::NonFinite);
            return;
        }
        let threshold = breakdown(step);
        self.dimensions += 1;
        let alpha_ends = alpha <= threshold * self.largest;
        self.largest = self.largest.max(alpha);
        let beta_ends = beta <= threshold * self.largest;
        self.invariant = alpha_ends || beta_ends;
        if self.is_first_space() {
            self.first.push(f64::from(alpha), f64::from(beta), self.invariant);
        }
        self.alphas.push(if alpha_ends { 0.0 } else { f64::from(alpha) });
        self.betas.push(if self.invariant { 0.0 } else { f64::from(beta) });
        if !alpha_ends {
            self.largest = self.largest.max(beta);
        }
    }

    fn is_first_space(&self) -> bool {
        self.starts.len() == 1 && !self.restarted
    }

    /// Closes off what came before `step`, from where a new start vector goes on.
    pub(super) fn start_again(&mut self, step: usize) -> Closed {
        let start = self.latest_start();
        let kept = std::mem::take(&mut self.kept);
        self.invariant = false;
        self.starts.push(step);
        if self.idle_from.is_none() {
            self.close_off();
        }
        let end = self.idle_from.take().unwrap_or(step);
        if kept.is_empty() {
            return Closed { start, kept: Vec::new(), idle: end..step };
        }
        // Deflating no more than what has converged leaves the rest to the new space, whatever rounding brought into this.
        self.dimensions = self.dimensions + kept.len() - (end - start);
        self.alphas[start..].fill(0.0);
        self.betas[start..].fill(0.0);
        self.alphas[start..].iter_mut().zip(&kept).for_each(|(alpha, (value, _))| *alpha = *value);
        let idle = start + kept.len()..step;
        Closed { start, kept: kept.into_iter().map(|(_, right)| right).collect(), idle }
    }

    /// Marks the copies of the largest value in a space as what is kept of it.
    fn keep(&mut self, space: &Bidiagonal) {
        let least = self.sigma() * (1.0 - COPY);
        if space.count_from(least) <= 1 {
            let leading = space.leading();
            self.kept = vec![(leading.sigma, leading.right)];
            return;
        }
        let sharp = |left: &[f64]| space.residual_of(left) <= SHARP * self.sigma();
        let copies = space.triplets().into_iter().enumerate();
        self.kept = copies
            .filter(|(rank, (value, left, _))| *rank == 0 || (*value >= least && sharp(left)))
            .map(|(_, (value, _, right))| (value, right))
            .collect();
    }

    /// Takes away what couples the latest step to whatever comes after it.
    fn close_off(&mut self) {
        if let Some(last) = self.betas.last_mut() {
            *last = 0.0;
        }
    }

    pub(super) fn matrix(&self) -> Bidiagonal {
        self.matrix_from(0)
    }

    /// The bidiagonal matrix of the steps from `start` on.
    fn matrix_from(&self, start: usize) -> Bidiagonal {
        let inner = self.alphas.len().saturating_sub(1).max(start);
        Bidiagonal {
            alphas: self.alphas[start..].to_vec(),
            betas: self.betas[start..inner].to_vec(),
            residual: if self.invariant { 0.0 } else { self.betas.last().copied().unwrap_or(0.0) },
        }
    }

    /// Basis vectors in use.
    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether it has started a second time.
    pub(super) fn has_started_again(&self) -> bool {
        self.starts.len() > 1
    }

    /// Whether it has not taken a step since it started again.
    pub(super) fn is_at_another_start(&self) -> bool {
        self.has_started_again() && self.steps_since_start() == 0
    }

    /// Whether it waits for a new start vector.
    pub(super) fn wants_start(&self) -> bool {
        self.done.is_none() && self.invariant && !matches!(self.stage, Stage::Settled | Stage::Again)
    }

    /// Whether no more steps can tell it anything.
    pub(super) fn is_idle(&self) -> bool {
        self.done.is_some() || self.invariant || matches!(self.stage, Stage::Settled | Stage::Again)
    }

    /// Steps since the latest start vector.
    fn steps_since_start(&self) -> usize {
        self.alphas.len() - self.latest_start()
    }

    fn latest_start(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Steps that the chain still needs, if its error goes on to fall as it did between the last two readings.
    pub(super) fn steps_to_go(&self, goal: Goal) -> f64 {
        let tolerance = match goal {
            Goal::Norm { stop, .. } => stop.tolerance(),
            Goal::Top { rtol, .. } => rtol,
        };
        let (steps, error) = self.earlier;
        let rate = (error / self.error).ln() / (self.alphas.len() - steps.min(self.alphas.len())).max(1) as f64;
        if rate > 0.0 && rate.is_finite() { (self.error / tolerance).ln() / rate } else { f64::MAX }
    }

    /// The largest singular value, 0 where nothing is known.
    pub(super) fn sigma(&self) -> f64 {
        self.leading.as_ref().map_or(0.0, |leading| leading.sigma)
    }

    /// The next singular value, the next distinct one where copies were counted; `None` where there is none.
    pub(super) fn second(&self) -> Option<f64> {
        let known = self.copies.unwrap_or(1);
        self.leading.as_ref().filter(|_| self.dimensions > known).map(|leading| leading.second)
    }

    /// Coefficients of the right vectors of each copy of the largest value.
    pub(super) fn copies_of_leading(&self) -> Vec<Vec<f64>> {
        let Some(leading) = &self.leading else { return Vec::new() };
        match self.copies {
            Some(copies) if copies > 1 => {
                self.matrix().triplets().into_iter().take(copies).map(|(_, _, right)| right).collect()
            }
            _ => vec![leading.right.clone()],
        }
    }

    /// How it ended, when the basis is full or the steps have run out; `None` where a restart can still help.
    pub(super) fn status_at_the_end(&self, goal: Goal, out_of_steps: bool) -> Option<Status> {
        match goal {
            Goal::Top { .. } => Some(Status::MaxIterations),
            // The bound is that of the first space, which cannot grow any further.
            Goal::Norm { stop: Stop::Bound { .. }, .. } => Some(Status::MaxIterations),
            // A basis that was too small for the copies once is so again: they stay uncounted.
            Goal::Norm { stop, multiplicity: true }
                if out_of_steps || (self.restarted && self.stage == Stage::Probing) =>
            {
                let by_value = self.stage != Stage::Searching && !matches!(stop, Stop::Gradient { .. });
                Some(if by_value { Status::Converged } else { Status::MaxIterations })
            }
            Goal::Norm { multiplicity: true, .. } => None,
            // An invariant space with no room for another start has converged as far as its start can see.
            Goal::Norm { .. } if self.invariant => Some(Status::Converged),
            Goal::Norm { .. } => out_of_steps.then_some(Status::MaxIterations),
        }
    }

    fn finish(&mut self) {
        self.done = Some(if self.sigma() > f64::MIN_POSITIVE { Status::Converged } else { Status::Zero });
    }

    /// Decides whether the chain is done, in a space that can have `short` dimensions at the most; `share` is what its first
    /// start may count on for an upper bound.
    pub(super) fn judge(&mut self, goal: Goal, short: usize, share: Option<&Share>) {
        let waits = matches!(self.stage, Stage::Settled | Stage::Again) || !self.kept.is_empty();
        if self.done.is_some() || self.alphas.is_empty() || waits {
            return;
        }
        let full = self.dimensions >= short;
        let matrix = self.matrix();
        let leading = matrix.leading();
        let steps = self.alphas.len();
        let residual = matrix.residual_of(&leading.left) / leading.sigma.max(f64::MIN_POSITIVE);
        self.earlier = (self.judged, self.error);
        self.judged = steps;
        self.error = if self.invariant || full { 0.0 } else { expected_error(residual) };
        if let Some(share) = share.filter(|_| self.is_first_space()) {
            self.upper = upper_bound(self.first.steps(), leading.sigma, share.part);
        }
        self.leading = Some(leading);
        match goal {
            Goal::Norm { stop: Stop::Bound { .. }, .. } => self.judge_bound(full),
            Goal::Norm { stop, multiplicity: true } => self.judge_copies(stop, &matrix, full, residual),
            Goal::Norm { stop, multiplicity: false } => {
                let probed = self.starts.len() > 1 && (self.invariant || self.steps_since_start() >= PROBE_STEPS);
                // An invariant space shows repeated values once: one more start tells what the rest holds.
                let probed = full || probed || (self.starts.len() == 1 && !self.invariant);
                if self.error <= stop.tolerance() && probed {
                    self.finish();
                }
            }
            Goal::Top { count, rtol } => {
                if full || self.top_is_settled(count, rtol) {
                    self.finish();
                }
            }
        }
    }

    /// Whether the first space has anything more to say about the upper bound.
    fn judge_bound(&mut self, full: bool) {
        /// Steps without a narrower bound after which rounding is what stands in the way: so many, or a third of all.
        const PATIENCE: usize = 16;
        let excess = self.upper / self.sigma() - 1.0;
        let steps = self.alphas.len();
        if excess < 0.99 * self.narrowest.0 {
            self.narrowest = (excess, steps);
        }
        let stuck = steps >= self.narrowest.1 + PATIENCE.max(steps / 3);
        if self.sigma() > f64::MIN_POSITIVE {
            if full || self.invariant || stuck || self.starts.len() > 1 {
                self.stage = Stage::Settled;
            }
        } else if full || self.starts.len() > 1 {
            // A start in the null space, and another one: the operator is as good as zero.
            self.finish();
        }
    }

    /// Whether the leading triplet is accurate enough to look for its copies, and whether the latest start brought none.
    fn judge_copies(&mut self, stop: Stop, matrix: &Bidiagonal, full: bool, residual: f64) {
        let sigma = self.sigma();
        if sigma <= f64::MIN_POSITIVE {
            // A start in the null space: another one tells whether the operator is as good as zero.
            if full || self.starts.len() > 1 {
                self.finish();
            }
            return;
        }
        let copies = matrix.count_from(sigma * (1.0 - COPY)).max(1);
        let second = matrix.value(copies + 1);
        if let Some(leading) = &mut self.leading {
            leading.second = second;
        }
        let gap = 1.0 - (second / sigma).max(self.next);
        // Half of the tolerance is left for what rounding adds to the residual, and for a gap that a probe finds smaller.
        let accurate = |residual: f64, share: f64| match stop {
            Stop::Gradient { tolerance } => {
                residual <= SHARP / 2.0 || (residual <= share * tolerance * gap && residual * residual <= SHARP * gap)
            }
            _ => residual <= SHARP,
        };
        if !self.invariant && !full {
            self.error = match stop {
                Stop::Gradient { .. } => residual / gap.max(f64::MIN_POSITIVE),
                _ => expected_error(residual),
            };
        }
        if self.stage == Stage::Searching {
            if full {
                self.copies = Some(copies);
                self.finish();
            } else if self.invariant || accurate(residual, 0.5) {
                self.residual = if self.invariant { 0.0 } else { residual };
                self.stage = Stage::Settled;
                self.keep(matrix);
            }
            return;
        }
        let probe = self.matrix_from(self.latest_start());
        let found = probe.leading();
        let residual = if full { 0.0 } else { probe.residual_of(&found.left) / sigma };
        let distance = 1.0 - found.sigma / sigma;
        if distance <= COPY && !full {
            if residual <= SHARP {
                // There may be more copies: another start.
                self.keep(&probe);
                self.invariant = true;
            }
            return;
        }
        let found_all = self.steps_since_start() >= PROBE_STEPS && residual <= (PROBED * distance).max(SHARP / 2.0);
        if !(full || self.invariant || found_all) {
            return;
        }
        self.next = second / sigma;
        if full || accurate(self.residual, 0.7) {
            self.copies = Some(copies);
            self.finish();
        } else {
            self.stage = Stage::Again;
        }
    }

    /// Whether the largest `count` triplets have converged, and a start orthogonal to them brought nothing larger.
    fn top_is_settled(&mut self, count: usize, rtol: f64) -> bool {
        let (matrix, slots) = self.matrix_of_vectors();
        let largest = self.sigma();
        // The last one wanted converges last, as a rule: as long as it has not, nothing else need be looked at.
        let last = if slots.len() < count { f64::INFINITY } else { matrix.residual_of_rank(count) };
        let accurate = |residual: f64| residual <= 0.1 * rtol * largest;
        self.error = expected_error(last / largest.max(f64::MIN_POSITIVE));
        if !accurate(last) && !self.invariant {
            return false;
        }
        let triplets = matrix.triplets();
        let wanted = &triplets[..count.min(triplets.len())];
        let worst = wanted.iter().map(|triplet| matrix.residual_of(&triplet.1)).fold(0.0, f64::max);
        self.error = expected_error(worst / largest.max(f64::MIN_POSITIVE));
        let settled = wanted.len() == count && accurate(worst);
        if !settled && !self.invariant {
            return false;
        }
        if self.latest_start() == 0 {
            // Ask for another start: what was found is as good as invariant.
            self.invariant = true;
            return false;
        }
        let first = slots.partition_point(|slot| *slot < self.latest_start());
        // The latest space counts by the triplets that live in it; its largest must have converged, and be below the rest.
        let weight =
            |triplet: &&(f64, Vec<f64>, Vec<f64>)| triplet.2[first..].iter().map(|part| part * part).sum::<f64>() > 0.5;
        let entered = wanted.iter().any(|triplet| weight(&triplet));
        let below = triplets.iter().find(weight).is_none_or(|triplet| {
            let residual = matrix.residual_of(&triplet.1);
            residual <= 1e-2 * (wanted.last().map_or(0.0, |last| last.0) - triplet.0).max(0.0) || accurate(residual)
        });
        if !(below || self.invariant) {
            return false;
        }
        if entered && (settled || self.invariant) {
            // It brought a copy of a repeated value, or one that was missed: there may be more of them.
            self.invariant = true;
            return false;
        }
        settled
    }

    /// The bidiagonal matrix of the slots that hold a vector, and these slots.
    fn matrix_of_vectors(&self) -> (Bidiagonal, Vec<usize>) {
        let slots: Vec<usize> = (0..self.alphas.len()).filter(|slot| self.empty.binary_search(slot).is_err()).collect();
        // Next to a slot without a vector a chain was closed off.
        let coupled = |pair: &[usize]| if pair[0] + 1 == pair[1] { self.betas[pair[0]] } else { 0.0 };
        let matrix = Bidiagonal {
            alphas: slots.iter().map(|slot| self.alphas[*slot]).collect(),
            betas: slots.windows(2).map(coupled).collect(),
            residual: self.matrix().residual,
        };
        (matrix, slots)
    }

    /// Coefficients, in the slots of the basis, of the right vectors of the `count` largest values, largest first.
    pub(super) fn leading_vectors(&self, count: usize) -> Vec<Vec<f64>> {
        let (matrix, slots) = self.matrix_of_vectors();
        let spread = |right: Vec<f64>| {
            let mut coefficients = vec![0.0; self.alphas.len()];
            slots.iter().zip(right).for_each(|(slot, part)| coefficients[*slot] = part);
            coefficients
        };
        matrix.triplets().into_iter().take(count).map(|(_, _, right)| spread(right)).collect()
    }
}
