//! The Krylov subspaces of one vector as the host sees them: the record of their steps, and the state.

use super::super::stop::Stop;
use super::bidiagonal::Leading;
use super::first::FirstSpace;
use super::state::{Goal, State};
use super::steps::{Closed, Steps};
use crate::iterate::Status;

/// The Krylov subspaces of the start vectors of one batch item, one after the other.
#[derive(Clone, Debug, Default)]
pub(in crate::norm) struct Chain {
    pub(super) steps: Steps,
    pub(in crate::norm) state: State,
    /// The space of the first start, for an upper bound.
    pub(in crate::norm) first: FirstSpace,
    /// Whether a cycle came before this cycle.
    pub(super) restarted: bool,
    /// Iterations until the chain was done, earlier cycles included; `None` before the run has taken note.
    pub(in crate::norm) iterations: Option<usize>,
    /// The leading singular value of the steps, with its vectors.
    pub(super) leading: Option<Leading>,
    /// The next singular value of the steps at the last judgement, or the next distinct value where copies were
    /// counted; `None` where nobody has asked for it.
    pub(super) second: Option<f64>,
    /// The relative error to expect of the leading value.
    pub(super) error: f64,
    /// The number of steps at the last judgement.
    pub(super) judged: usize,
    /// The number of steps and the error at the judgement before.
    pub(super) earlier: (usize, f64),
    /// The triplets of the latest space that stay when another start follows; the run forgets the rest of that space.
    pub(super) kept: Vec<(f64, Vec<f64>)>,
    /// The multiplicity of the largest value, once counted.
    pub(super) copies: Option<usize>,
    /// The next distinct value that a probe found, relative to sigma, earlier cycles included.
    pub(super) next: f64,
}

impl Chain {
    /// A chain that has not begun; the chain of a settled batch item never begins.
    pub(super) fn new(open: bool) -> Self {
        Self {
            steps: Steps::new(),
            state: if open { State::Searching } else { State::Done(Status::Zero) },
            iterations: if open { None } else { Some(0) },
            error: f64::INFINITY,
            first: FirstSpace::new(),
            ..Self::default()
        }
    }

    /// The chain of a new cycle, which starts from the best vector of this chain. The bound stays that of the first
    /// space.
    pub(super) fn restarted(&self) -> Self {
        Self {
            steps: self.steps.restarted(),
            error: self.error,
            restarted: true,
            first: self.first.ended(),
            next: self.next,
            ..Self::default()
        }
    }

    /// Takes in one step, as the device measured it.
    pub(super) fn take(&mut self, step: usize, alpha: f32, beta: f32) {
        if self.state.is_done() {
            return;
        }
        if self.steps.has_ended() || self.state.rests() {
            self.steps.sit_out();
            return;
        }
        if !alpha.is_finite() || !beta.is_finite() {
            self.state = State::Done(Status::NonFinite);
            return;
        }
        self.steps.take(step, alpha, beta);
        if self.is_first_space() {
            self.first.space.push(f64::from(alpha), f64::from(beta), self.steps.has_ended());
        }
    }

    /// Closes the steps before `step`, where a new start vector follows.
    pub(super) fn start_again(&mut self, step: usize) -> Closed {
        let kept = std::mem::take(&mut self.kept);
        self.steps.start_again(step, kept)
    }

    /// The status of the chain when the basis is full or the steps have run out; `None` where a restart can still help.
    pub(super) fn status_at_the_end(&self, goal: Goal, out_of_steps: bool) -> Option<Status> {
        match goal {
            Goal::Top { .. } => Some(Status::MaxIterations),
            // The bound is that of the first space, which cannot grow any further.
            Goal::Norm { stop: Stop::Bound { .. }, .. } => Some(Status::MaxIterations),
            // A basis that was once too small for the copies would be so again: the copies stay uncounted.
            Goal::Norm { stop, multiplicity: true } if out_of_steps || (self.restarted && self.state.is_probing()) => {
                let by_value = self.state != State::Searching && !matches!(stop, Stop::Gradient { .. });
                Some(if by_value { Status::Converged } else { Status::MaxIterations })
            }
            Goal::Norm { multiplicity: true, .. } => None,
            // An invariant space with no room for another start has converged as far as its start vector can tell.
            Goal::Norm { .. } if self.steps.has_ended() => Some(Status::Converged),
            Goal::Norm { .. } => out_of_steps.then_some(Status::MaxIterations),
        }
    }

    /// Ends as converged, or as zero where the chain found nothing.
    pub(super) fn finish(&mut self) {
        self.state = State::Done(if self.sigma() > f64::MIN_POSITIVE { Status::Converged } else { Status::Zero });
    }

    /// Whether the latest space is that of the first start.
    pub(super) fn is_first_space(&self) -> bool {
        !self.steps.has_started_again() && !self.restarted
    }

    /// Whether the chain waits for a new start vector.
    pub(super) fn wants_start(&self) -> bool {
        self.steps.has_ended() && !self.state.rests()
    }

    /// Whether further steps can tell the chain nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.steps.has_ended() || self.state.rests()
    }

    /// Whether the chain has not taken a step since it started again.
    pub(super) fn is_at_another_start(&self) -> bool {
        self.steps.has_started_again() && self.steps.since_start() == 0
    }

    /// The number of steps that the chain still needs, if the error keeps falling as between the last two judgements.
    pub(super) fn steps_to_go(&self, goal: Goal) -> f64 {
        let (steps, error) = self.earlier;
        let rate = (error / self.error).ln() / (self.steps.len() - steps.min(self.steps.len())).max(1) as f64;
        if rate > 0.0 && rate.is_finite() { (self.error / goal.tolerance()).ln() / rate } else { f64::MAX }
    }

    /// The largest singular value; 0 where unknown.
    pub(in crate::norm) fn sigma(&self) -> f64 {
        self.leading.as_ref().map_or(0.0, |leading| leading.sigma)
    }

    /// The next singular value, or the next distinct value where copies were counted; `None` where none exists.
    pub(super) fn second(&self) -> Option<f64> {
        let known = self.copies.unwrap_or(1);
        let is_there = self.leading.is_some() && self.steps.dimensions() > known;
        is_there.then(|| self.second.unwrap_or_else(|| self.steps.matrix().value(2)))
    }

    /// Coefficients of the right vectors of each copy of the largest value.
    pub(super) fn copies_of_leading(&self) -> Vec<Vec<f64>> {
        let Some(leading) = &self.leading else { return Vec::new() };
        match self.copies {
            Some(copies) if copies > 1 => {
                self.steps.matrix().triplets().into_iter().take(copies).map(|(_, _, right)| right).collect()
            }
            _ => vec![leading.right.clone()],
        }
    }

    /// Coefficients, in the slots of the basis, of the right vectors of the `count` largest values, largest first.
    pub(in crate::norm) fn leading_vectors(&self, count: usize) -> Vec<Vec<f64>> {
        let (matrix, slots) = self.steps.matrix_of_vectors();
        let spread = |right: Vec<f64>| {
            let mut coefficients = vec![0.0; self.steps.len()];
            slots.iter().zip(right).for_each(|(slot, part)| coefficients[*slot] = part);
            coefficients
        };
        matrix.triplets().into_iter().take(count).map(|(_, _, right)| spread(right)).collect()
    }
}
