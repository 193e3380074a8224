//! The results of batch items, from all their chains together.

use super::super::finish::Found;
use super::super::stop::Stop;
use super::chain::Chain;
use super::run::Run;
use super::state::{Goal, State};
use crate::Result;
use crate::device::Buffer;
use crate::iterate::{Progress, Status};
use crate::operator::LinearOperator;
use crate::tensor::Tensor;
use crate::tensor::screen::scale_by_power;

impl<O: LinearOperator + ?Sized> Run<'_, O> {
    /// Batch items.
    pub(super) fn batch(&self) -> usize {
        self.chains.len() / self.columns
    }

    /// The chains of a batch item.
    fn chains_of(&self, item: usize) -> &[Chain] {
        &self.chains[item * self.columns..(item + 1) * self.columns]
    }

    /// Decides the questions that need all chains: whether the bounds are close enough, and which chain looks for
    /// copies.
    pub(super) fn judge_element(&mut self, item: usize) {
        let best = self.best(item);
        let (sigma, upper) = (self.in_range_of_operator(best, self.chains[best].sigma()), self.upper(item));
        let of_best = self.chains[best].state;
        let chains = &mut self.chains[item * self.columns..(item + 1) * self.columns];
        if chains.iter().all(|chain| chain.state.is_done()) {
            return;
        }
        let settled = chains.iter().all(|chain| chain.state.is_done() || chain.state.is_settled());
        let open = chains.iter_mut().filter(|chain| !chain.state.is_done());
        match self.goal {
            Goal::Norm { stop: Stop::Bound { rtol, .. }, .. } => {
                let width = upper / sigma - 1.0;
                let end = if width <= rtol { Some(Status::Converged) } else { settled.then_some(Status::Stagnated) };
                for chain in open {
                    chain.error = width;
                    chain.state = end.map_or(chain.state, State::Done);
                }
            }
            Goal::Norm { multiplicity: true, .. } if settled => {
                open.for_each(|chain| chain.state = State::Done(Status::Converged));
                if let State::Settled { residual } = of_best {
                    self.chains[best].state = State::Probing { residual };
                    self.chains[best].steps.close();
                }
            }
            _ => {}
        }
    }

    /// The first chain of a batch item with the largest value.
    pub(super) fn best(&self, item: usize) -> usize {
        let first = item * self.columns;
        let sigma = |vector: usize| self.in_range_of_operator(vector, self.chains[vector].sigma());
        (first + 1..first + self.columns)
            .fold(first, |best, vector| if sigma(vector) > sigma(best) { vector } else { best })
    }

    /// The upper bound of all chains of a batch item, which fails for at most the allowed share of starts.
    fn upper(&self, item: usize) -> f64 {
        let vectors = item * self.columns..(item + 1) * self.columns;
        vectors.map(|vector| self.in_range_of_operator(vector, self.chains[vector].first.upper)).fold(0.0, f64::max)
    }

    /// A chain's value in units of the operator's products; the chain itself works with a power of two of its own.
    fn in_range_of_operator(&self, vector: usize, value: f64) -> f64 {
        scale_by_power(value, self.exponents.get(vector).copied().unwrap_or(0))
    }

    /// The result of a batch item, in units of the operator's products.
    pub(super) fn found(&self, item: usize) -> Option<Found> {
        let chains = self.chains_of(item);
        let best = self.best(item);
        let chain = &self.chains[best];
        let non_finite = chains.iter().any(|chain| chain.state == State::Done(Status::NonFinite));
        let copies = if self.oriented.short == 1 { Some(1) } else { chain.copies };
        let State::Done(status) = chain.state else { return None };
        Some(Found {
            status: if non_finite { Status::NonFinite } else { status },
            second: chain.second().map(|second| self.in_range_of_operator(best, second)),
            iterations: chains.iter().filter_map(|chain| chain.iterations).max().unwrap_or(0),
            complete: chain.steps.dimensions() >= self.oriented.short && (copies.is_some() || self.oriented.short == 1),
            multiplicity: copies,
            upper: self.bound.map(|(_, delta)| (self.upper(item), delta)),
        })
    }

    /// The best vector of each batch item among the vectors of all its chains.
    pub(super) fn best_vectors(&self, vectors: &Tensor) -> Result<Tensor> {
        if self.columns == 1 {
            return Ok(vectors.clone());
        }
        let short = self.oriented.short;
        let best = self.oriented.short_zeros(1)?;
        let mut recorder = self.device.recorder();
        for item in 0..self.batch() {
            let (from, to) = (self.best(item) * short, item * short);
            recorder.copy(&vectors.buffer().slice(from..from + short), &best.buffer().slice(to..to + short))?;
        }
        recorder.submit()?;
        Ok(best)
    }

    /// The power of two that the best chain of each batch item worked with.
    pub(super) fn best_factors(&self) -> Result<Buffer<f32>> {
        if self.columns == 1 {
            return Ok(self.memory.factors.clone());
        }
        let exponent = |vector: usize| self.exponents.get(vector).copied().unwrap_or(0);
        let factors: Vec<f32> =
            (0..self.batch()).map(|item| scale_by_power(1.0, -exponent(self.best(item))) as f32).collect();
        Buffer::from_slice(&self.device, "factors", &factors)
    }

    /// The progress of the first batch item that is not done, or of the last.
    pub(super) fn progress_of_elements(&self) -> Progress {
        let items = self.batch();
        let is_done = |item: &usize| self.chains_of(*item).iter().all(|chain| chain.state.is_done());
        let item = (0..items).find(|item| !is_done(item)).unwrap_or(items.saturating_sub(1));
        let best = self.best(item);
        let exponent = self.oriented.operator.exponent(item);
        Progress {
            iterations: self.iterations,
            sigma: scale_by_power(self.in_range_of_operator(best, self.chains[best].sigma()), exponent),
            error: self.chains[best].error,
            upper: scale_by_power(self.upper(item), exponent),
            ..Progress::new("Lanczos", "iterations", (0..items).filter(is_done).count(), items)
        }
    }
}
