//! One run over all batch items: a step on the device, and its readings.

use std::ops::Range;

use super::super::stop::Stop;
use super::chain::Chain;
use super::judge::judge;
use super::measure::measure;
use super::options::Lanczos;
use super::state::{Goal, State};
use crate::bound::krylov::Share;
use crate::device::{Buffer, Device, ReadBack, Recorder, each_item};
use crate::iterate::{Basis, Control, Iteration, Memory, Pace, Progress, RangeReading, Status, drive};
use crate::operator::{LinearOperator, Oriented};
use crate::ops::StopKind;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The chains of all batch items, with their device memory.
pub(in crate::norm) struct Run<'a, O: ?Sized> {
    pub(super) options: &'a Lanczos,
    pub(super) oriented: &'a Oriented<'a, O>,
    pub(super) device: Device,
    pub(super) goal: Goal,
    pub(super) memory: Memory,
    pub(in crate::norm) basis: Basis,
    pub(in crate::norm) chains: Vec<Chain>,
    pub(super) iterations: usize,
    /// The number of chains of each batch item. Chain `column` of an item is vector item · columns + column.
    pub(super) columns: usize,
    /// The part along the singular vector that each chain may count on, and the failure probability of the upper bound.
    pub(super) bound: Option<(Share, f64)>,
    /// The most steps of a cycle.
    capacity: usize,
    pub(super) cycle: Cycle,
    /// alpha and beta of each step and vector.
    pub(super) values: Buffer<f32>,
    pub(super) product_short: Tensor,
    /// alpha u of the step, and of the step before: of even and of odd steps. After whole steps u itself.
    pub(super) products_long: [Tensor; 2],
    /// beta / alpha of the latest step of each vector; after whole steps beta.
    pub(super) shifts: Buffer<f32>,
    /// The vectors of each further copy of the largest value, of every chain; the chain with the most copies decides
    /// how many.
    pub(super) others: Vec<Tensor>,
    /// e of each vector, where the device divides products by 2^e; known after the first reading.
    pub(super) exponents: Vec<i32>,
}

/// The steps from one start of all chains to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cycle {
    /// The number of iterations before this cycle.
    before: usize,
    /// Whether the cycle is the first, whose subspace an upper bound rests on.
    pub(super) is_first: bool,
}

/// The read-backs of some steps.
pub(in crate::norm) struct Reading {
    values: ReadBack<f32>,
    /// The range of the first product, with the first steps of a run.
    range: Option<RangeReading>,
    /// The vector after each of the steps, where an upper bound needs them.
    slots: Vec<ReadBack<f32>>,
}

impl<'a, O: LinearOperator + ?Sized> Run<'a, O> {
    pub(in crate::norm) fn new(
        options: &'a Lanczos,
        oriented: &'a Oriented<'a, O>,
        goal: Goal,
        share: Share,
    ) -> Result<Self> {
        let device = oriented.operator.device().clone();
        let columns = share.chains;
        let settled = oriented.settled();
        let open: Vec<bool> =
            settled.iter().flat_map(|settled| std::iter::repeat_n(settled.is_none(), columns)).collect();
        let vectors = open.len();
        let any = open.contains(&true);
        let basis = Basis::new(&device, vectors, oriented.short);
        // A chain that broke down and was taken up again leaves gaps, so that a few slots more than dimensions are
        // needed.
        let wanted = options.max_iter.min(oriented.short.saturating_mul(2).saturating_add(64));
        let capacity = if any { wanted.min(basis.slots_within(options.basis_bytes)).max(2) } else { 0 };
        Ok(Self {
            options,
            oriented,
            goal,
            memory: Memory::new(&device, &open)?,
            basis,
            chains: open.iter().map(|open| Chain::new(*open)).collect(),
            iterations: 0,
            columns,
            bound: options.delta().filter(|_| share.part > 0.0).map(|delta| (share, delta)),
            capacity,
            cycle: Cycle::default(),
            values: Buffer::zeros(&device, "alphas and betas", 2 * capacity * vectors)?,
            product_short: oriented.short_zeros(columns)?,
            products_long: [oriented.long_zeros(columns)?, oriented.long_zeros(columns)?],
            shifts: Buffer::zeros(&device, "shifts", vectors)?,
            others: Vec::new(),
            exponents: Vec::new(),
            device,
        })
    }

    /// Iterates until every chain is done, and leaves each chain's vector on the short side in `vectors`.
    pub(super) async fn iterate(&mut self, vectors: &Tensor, control: &mut Control<'_>) -> Result<()> {
        self.first_start(control)?;
        loop {
            let alive: Vec<bool> = self.chains.iter().map(|chain| !chain.state.is_done()).collect();
            self.cycle(control).await?;
            self.extract(&alive, vectors)?;
            if self.chains.iter().all(|chain| chain.state.is_done()) {
                return Ok(());
            }
            self.restart(vectors)?;
        }
    }

    /// Takes steps until every chain is done or asks for a new cycle, or the basis is full.
    pub(in crate::norm) async fn cycle(&mut self, control: &mut Control<'_>) -> Result<()> {
        self.cycle = Cycle { before: self.iterations, is_first: self.iterations == 0 };
        let limit = self.capacity.min(self.options.max_iter - self.iterations);
        drive(&self.device.clone(), self, limit, control).await?;
        let out_of_steps = self.iterations >= self.options.max_iter;
        for chain in self.chains.iter_mut().filter(|chain| !chain.state.is_done()) {
            chain.iterations = Some(self.iterations);
            chain.state = chain.status_at_the_end(self.goal, out_of_steps).map_or(chain.state, State::Done);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn exponents(&self) -> &[i32] {
        &self.exponents
    }

    /// Whether an upper bound rests on the steps of this cycle.
    fn is_of_bound(&self) -> bool {
        self.bound.is_some() && self.cycle.is_first
    }

    /// Reads the powers of two of the products, and which first products were not finite: such products leave no norms.
    async fn take_range(&mut self, reading: RangeReading) -> Result<()> {
        let (exponents, stops) = reading.contents().await?;
        self.exponents = exponents;
        for (chain, stop) in self.chains.iter_mut().zip(stops) {
            if stop == StopKind::NonFinite && !chain.state.is_done() {
                chain.state = State::Done(Status::NonFinite);
            }
        }
        Ok(())
    }

    /// Measures the new steps of an upper bound.
    async fn measure(&mut self) -> Result<()> {
        if measure(self.oriented, &mut self.chains, self.columns, &self.exponents).await? {
            return Ok(());
        }
        Err(Error::InvalidOption {
            operation: "Lanczos",
            option: "delta",
            value: self.bound.map_or(f64::NAN, |(_, delta)| delta).to_string(),
            allowed: "left out for an operator without products on the host (LinearOperator::enclose): nothing tells how its \
                      products are rounded",
        })
    }

    /// The number of steps of a small matrix before the first judgement.
    ///
    /// On the host a further launch costs as much as some ten steps. Further starts would wait for steps in vain.
    fn first_steps(&self) -> usize {
        let asks_for_value = matches!(self.goal, Goal::Norm { stop: Stop::Value { .. }, multiplicity: false });
        if asks_for_value && self.device.is_host() { 16 } else { 8 }
    }

    /// Judges every chain and batch item, and takes chains that need no more steps out of the mask.
    fn judge(&mut self) -> Result<()> {
        let share = self.bound.map(|(share, _)| share);
        let (goal, short) = (self.goal, self.oriented.short);
        let mut waiting: Vec<_> = self.chains.iter_mut().filter(|chain| chain.iterations.is_none()).collect();
        each_item(&mut waiting, |chain| judge(chain, goal, short, share.as_ref()));
        for item in 0..self.batch() {
            self.judge_element(item);
        }
        for (vector, chain) in self.chains.iter_mut().enumerate().filter(|(_, chain)| chain.iterations.is_none()) {
            if chain.state.is_done() {
                chain.iterations = Some(self.iterations);
            }
            if chain.is_idle() {
                self.memory.set_active(vector, false)?;
            }
        }
        Ok(())
    }
}

impl<O: LinearOperator + ?Sized> Iteration for Run<'_, O> {
    type Reading = Reading;

    fn is_done(&self) -> bool {
        self.chains.iter().all(|chain| chain.state.is_done() || chain.state == State::Again)
    }

    /// Between two readings the error falls by a factor that tells how many steps the slowest chain still needs.
    fn pace(&self, recorded: usize) -> Pace {
        // A product takes one pass over the operator for all columns, but the arithmetic of `columns` passes.
        let passes = 2 * self.columns as u64;
        let bytes = self.oriented.operator.bytes_per_product().saturating_mul(passes).max(1);
        let affordable = (self.device.capabilities().profile.bytes_per_submit / bytes).clamp(1, 1000) as usize;
        let running = || self.chains.iter().filter(|chain| !chain.is_idle());
        let slowest = running().map(|chain| chain.steps_to_go(self.goal)).fold(0.0, f64::max);
        let started_again = running().any(|chain| chain.steps.has_started_again());
        // A start within a space of copies ends at once, and every step past that end wastes a slot of the basis.
        let fresh = running().any(Chain::is_at_another_start);
        let steps = match slowest {
            _ if fresh => 2,
            // Of a small matrix many steps are cheaper than a judgement.
            _ if recorded == 0 && self.whole_steps() > 0 => self.first_steps(),
            _ if recorded < 8 || started_again => 4,
            left if left <= 2.0 => 2,
            left if left <= 8.0 => (left.ceil() as usize).next_multiple_of(2),
            _ => 8,
        };
        // Looking ahead pays only where a few steps too many cost less than a wait for the device.
        let waits = self.chains.iter().any(Chain::wants_start);
        let look_ahead = !fresh && recorded >= 4 && slowest > 2.0 * steps as f64 && affordable > 2 * steps && !waits;
        Pace { steps: steps.min(self.oriented.short), steps_per_submit: affordable.min(16), look_ahead }
    }

    fn record(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        self.record_step(recorder, step)
    }

    fn record_steps(&mut self, recorder: &mut Recorder, steps: Range<usize>) -> Result<()> {
        let whole = steps.start..steps.end.min(self.whole_steps()).max(steps.start);
        if !whole.is_empty() {
            self.record_whole(recorder, whole.clone())?;
        }
        (whole.end..steps.end).try_for_each(|step| self.record(recorder, step))
    }

    fn read(&mut self, recorder: &mut Recorder, steps: Range<usize>) -> Result<Reading> {
        let pairs = 2 * self.chains.len();
        let values = recorder.read(&self.values.slice(pairs * steps.start..pairs * steps.end))?;
        let of_bound = if self.is_of_bound() { steps.start + 1..steps.end + 1 } else { 0..0 };
        let slots = of_bound.map(|slot| recorder.read(self.basis.slot(slot)?.buffer())).collect::<Result<_>>()?;
        let range = (self.cycle.is_first && steps.start == 0).then(|| self.memory.read_range(recorder)).transpose()?;
        Ok(Reading { values, range, slots })
    }

    async fn take(&mut self, steps: Range<usize>, reading: Reading) -> Result<()> {
        let contents = reading.values.contents().await?;
        if let Some(range) = reading.range {
            self.take_range(range).await?;
        }
        let (vectors, short) = (self.chains.len(), self.oriented.short);
        let mut slots = reading.slots.into_iter();
        for (step, values) in steps.clone().zip(contents.chunks_exact(2 * vectors)) {
            let next = match slots.next() {
                Some(slot) => slot.contents().await?,
                None => Vec::new(),
            };
            for (vector, chain) in self.chains.iter_mut().enumerate() {
                chain.take(step, values[vector], values[vectors + vector]);
                if chain.first.space.wants_vector() {
                    chain.first.space.push_vector(&next[vector * short..][..short]);
                }
            }
        }
        self.iterations = self.cycle.before + steps.end;
        if self.is_of_bound() {
            self.measure().await?;
        }
        self.judge()
    }

    /// Whether chains with ended spaces wait until nothing is in flight, so that all chains agree on the next slot.
    fn is_waiting(&self) -> bool {
        self.chains.iter().all(Chain::is_idle)
    }

    async fn pass_over(&mut self, steps: Range<usize>, reading: Reading) -> Result<()> {
        reading.values.contents().await?;
        let sit_out = |chain: &mut Chain| steps.clone().for_each(|step| chain.take(step, 0.0, 0.0));
        self.chains.iter_mut().for_each(sit_out);
        Ok(())
    }

    fn resume(&mut self, recorded: usize) -> Result<()> {
        if self.chains.iter().any(Chain::wants_start) { self.start_again(recorded) } else { Ok(()) }
    }

    fn progress(&self) -> Progress {
        self.progress_of_elements()
    }
}
