//! Golub-Kahan-Lanczos: the default way to a spectral norm.

use std::collections::VecDeque;

use super::basis::Basis;
use super::chain::{Chain, Closed, Goal, Stage, breakdown};
use super::control::{Control, Progress};
use super::copies::Copies;
use super::finish::{Found, Oriented, finish};
use super::measure::measure;
use super::memory::Memory;
use super::probable::{MOST_CHAINS, Share, expected_error, share_within};
use super::result::{SpectralNorms, Status};
use super::start::random_unit;
use super::stop::Stop;
use crate::gpu::{Buffer, Gpu, ReadBack, Recorder};
use crate::operator::LinearOperator;
use crate::ops::{self, StopKind};
use crate::tensor::Tensor;
use crate::tensor::screen::scale_by_power;
use crate::{Error, Result, probe};

/// Golub-Kahan-Lanczos bidiagonalisation from a random start, with reorthogonalisation on the shorter side alone.
///
/// It builds A V = U B and Aᵀ U = V Bᵀ + residual, step by step, with B bidiagonal; the singular values of B approach
/// those of A from within, the largest first (Golub and Kahan, *Calculating the singular values and pseudo-inverse of a
/// matrix*, 1965; one-sided reorthogonalisation: Simon and Zha 2000). A step takes two products; on a Gaussian 4096²
/// matrix about 100 products give six digits, where power iteration takes some fifteen hundred.
///
/// All scalars stay on the device; the host reads them once for several steps, while the next steps run.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanczos {
    /// When it is done. Default: once the relative error of sigma that residual and gap let one expect is 1e-6.
    pub stop: Stop,
    /// The probability, between 0 and 1, with which an upper bound of the norm may fail; `None`, the default, for no such
    /// bound. It takes no product of its own; [`Stop::Bound`] brings its own probability.
    ///
    /// The bound is that of the Krylov space of the first, random start, until the space is restarted or turns out invariant: a
    /// warm start has none. Every step is measured by products of the host in `f64`, so that nothing is assumed of the device;
    /// an operator without such products ([`LinearOperator::products_on_host`]) has no such bound, and asking for one is an
    /// error. The proof is in `docs/bounds.md`.
    pub delta: Option<f64>,
    /// Krylov spaces of independent random starts for each item, side by side; a pass over the operator serves them all.
    ///
    /// The bound is the largest of theirs, each of which may then fail with probability delta^(1/chains): the bound is wrong
    /// only if all are. The more chains, the closer the bound, and the less rounding in `f32` stands in its way: it comes no
    /// closer than about 1e-6 / delta^(1/chains), relative, for a matrix whose products do not cancel. The vectors are those of
    /// the best chain. `None`, the default, takes as few as let a bound come within the `rtol` of [`Stop::Bound`], or else
    /// within 1e-3; one chain without a bound.
    pub chains: Option<usize>,
    /// Whether to count the copies of the largest singular value, and keep the vectors of each. [`Stop::Gradient`] does so
    /// in any case. Default `false`.
    ///
    /// A Krylov space shows a repeated value once. So once it has converged the iteration starts again from random vectors
    /// orthogonal to the copies found, until one brings nothing as large: about as many steps again for the last start, and
    /// some for each copy. Values within 2^-20 of each other, relative, are copies. [`super::SpectralNorm::second`] and the gap
    /// are then of the next distinct value. A count is missing where steps or the basis do not suffice for it.
    pub multiplicity: bool,
    /// Steps at the most. Default 1000.
    pub max_iter: usize,
    /// The seed of the start vectors; the same on every adapter. Default 0.
    pub seed: u64,
    /// Device memory for the Krylov basis, in bytes; past it the iteration starts again from the best vector so far.
    /// Default 1 GiB.
    pub basis_bytes: u64,
}

/// How close to the norm rounding must let an upper bound come, where nobody says how close it is to be.
const WIDTH: f64 = 1e-3;

impl Default for Lanczos {
    fn default() -> Self {
        Self {
            stop: Stop::default(),
            delta: None,
            chains: None,
            multiplicity: false,
            max_iter: 1000,
            seed: 0,
            basis_bytes: 1 << 30,
        }
    }
}

impl Lanczos {
    /// The spectral norm of each item of an operator.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for options that mean nothing, and for a `delta` where the operator has no products on the
    /// host; [`Error::Arithmetic`] for a `delta` where the host does not round as IEEE 754 says; [`Error::TooLarge`] or
    /// [`Error::OutOfMemory`] for vectors past the device's limits, [`Error::DeviceLost`].
    pub fn norm<O: LinearOperator + ?Sized>(&self, operator: &O) -> Result<SpectralNorms> {
        self.norm_with(operator, Control::default())
    }

    /// The spectral norm of each item, with a warm start and a callback.
    ///
    /// # Errors
    /// As [`Lanczos::norm`]; [`Error::Cancelled`] when the callback says so.
    pub fn norm_with<O: LinearOperator + ?Sized>(&self, operator: &O, control: Control<'_>) -> Result<SpectralNorms> {
        operator.gpu().block_on(self.norm_async(operator, control))
    }

    /// [`Lanczos::norm_with`] without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Lanczos::norm_with`].
    pub async fn norm_async<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        control: Control<'_>,
    ) -> Result<SpectralNorms> {
        self.check()?;
        let oriented = Oriented::shorter_side_first(operator);
        let settled = oriented.settled();
        let share = self.share(&oriented, &control)?;
        let multiplicity = self.multiplicity || matches!(self.stop, Stop::Gradient { .. });
        let goal = Goal::Norm { stop: self.stop, multiplicity };
        let mut run = Run::new(self, &oriented, &settled, goal, (share, control))?;
        let mut vectors = oriented.short_zeros(run.columns)?;
        if settled.iter().any(Option::is_none) {
            run.iterate(&vectors).await?;
            vectors = run.best_vectors(&vectors)?;
        }
        let found: Vec<_> = (0..settled.len()).map(|item| run.found(item)).collect();
        let products = 2 * run.iterations;
        let factors = run.best_factors()?;
        let mut norms = finish(&oriented, &factors, &vectors, &found, settled, (self.stop, products)).await?;
        if !run.others.is_empty() {
            let others: Vec<Tensor> =
                run.others.iter().map(|others| run.best_vectors(others)).collect::<Result<_>>()?;
            norms.copies = Some(Copies::of(&oriented, &factors, &norms, &others).await?);
            norms.items.iter_mut().filter(|item| item.products > 0).for_each(|item| item.products += others.len());
        }
        Ok(norms)
    }

    /// The probability with which the upper bound may fail, where one is asked for.
    fn delta(&self) -> Option<f64> {
        match self.stop {
            Stop::Bound { delta, .. } => Some(delta),
            _ => self.delta,
        }
    }

    /// How many chains run, and what each of them may count on for an upper bound.
    fn share<O: LinearOperator + ?Sized>(&self, oriented: &Oriented<'_, O>, control: &Control<'_>) -> Result<Share> {
        let error = expected_error(oriented.long, oriented.operator.gpu().capabilities().profile.lanes);
        let refuse =
            |option, value: String, allowed| Err(Error::InvalidOption { operation: "Lanczos", option, value, allowed });
        let Some(delta) = self.delta() else {
            return Ok(Share::without_bound(self.chains.unwrap_or(1)));
        };
        if control.start.is_some() {
            let allowed =
                "left out with a warm start: the bound holds for random starts, drawn after the matrix is fixed";
            return refuse("delta", format!("{delta:e}"), allowed);
        }
        if let (Stop::Bound { .. }, Some(other)) = (self.stop, self.delta.filter(|other| *other != delta)) {
            return refuse("delta", other.to_string(), "left out with Stop::Bound, which brings its own");
        }
        probe::expect_host_arithmetic()?;
        if oriented.operator.is_slow_on_host() {
            // Steps that are not measured are taken to be like those that are.
            probe::expect_arithmetic(oriented.operator.gpu())?;
        }
        let width = if let Stop::Bound { rtol, .. } = self.stop { rtol } else { WIDTH };
        let least = Share::fewest(delta, (oriented.short, error), share_within(width, error));
        let share = self.chains.map_or(least, |chains| Some(Share::of(delta, chains, oriented.short)));
        match (share, least) {
            (Some(share), _) if share.outweighs(error) => Ok(share),
            (Some(share), Some(_)) => refuse(
                "chains",
                share.chains.to_string(),
                "more for so small a delta, or None, which takes as many as needed: the rounding of products in f32 hides \
                 so small a part of a start",
            ),
            _ => refuse(
                "delta",
                format!("{delta:e}"),
                "larger for vectors of this length: the rounding of products in f32 hides so small a part of a start",
            ),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse =
            |option, value: String, allowed| Err(Error::InvalidOption { operation: "Lanczos", option, value, allowed });
        self.stop.check()?;
        for delta in [self.delta, self.delta()].into_iter().flatten() {
            if !(delta > 0.0 && delta < 1.0) {
                return refuse("delta", format!("{delta:e}"), "between 0 and 1, neither included");
            }
        }
        if let Some(chains) = self.chains.filter(|chains| !(1..=MOST_CHAINS).contains(chains)) {
            return refuse("chains", chains.to_string(), "from 1 to 64");
        }
        if self.max_iter == 0 {
            return refuse("max_iter", self.max_iter.to_string(), "at least 1");
        }
        Ok(())
    }
}

/// One run of the iteration over all items.
pub(super) struct Run<'a, 'c, O: ?Sized> {
    options: &'a Lanczos,
    oriented: &'a Oriented<'a, O>,
    gpu: Gpu,
    goal: Goal,
    control: Control<'c>,
    pub(super) memory: Memory,
    pub(super) basis: Basis,
    pub(super) chains: Vec<Chain>,
    pub(super) iterations: usize,
    /// Chains of each item, its columns: chain `column` of an item is vector item · columns + column.
    columns: usize,
    /// What each chain may count on for an upper bound, and the probability that the bound fails with.
    bound: Option<(Share, f64)>,
    /// Steps of this cycle at the most.
    capacity: usize,
    /// alpha and beta of each step, each one a vector.
    values: Buffer<f32>,
    product_short: Tensor,
    product_long: Tensor,
    other: Tensor,
    /// The vectors of each further copy of the largest value, of every chain; as many as the most that any has.
    others: Vec<Tensor>,
    /// Exponents of the powers of two that the device divides products by; known after the first reading.
    exponents: Vec<i32>,
}

impl<'a, 'c, O: LinearOperator + ?Sized> Run<'a, 'c, O> {
    pub(super) fn new(
        options: &'a Lanczos,
        oriented: &'a Oriented<'a, O>,
        settled: &[Option<super::SpectralNorm>],
        goal: Goal,
        (share, control): (Share, Control<'c>),
    ) -> Result<Self> {
        let gpu = oriented.operator.gpu().clone();
        let columns = share.chains;
        let open: Vec<bool> =
            settled.iter().flat_map(|settled| std::iter::repeat_n(settled.is_none(), columns)).collect();
        let vectors = open.len();
        let any = open.contains(&true);
        let basis = Basis::new(&gpu, vectors, oriented.short);
        // A few slots more than dimensions, as taking up a chain that broke down leaves gaps.
        let wanted = options.max_iter.min(oriented.short.saturating_mul(2).saturating_add(64));
        let capacity = if any { wanted.min(basis.slots_within(options.basis_bytes)).max(2) } else { 0 };
        Ok(Self {
            options,
            oriented,
            goal,
            control,
            memory: Memory::new(&gpu, &open)?,
            basis,
            chains: open.iter().map(|open| Chain::new(*open)).collect(),
            iterations: 0,
            columns,
            bound: options.delta().filter(|_| share.part > 0.0).map(|delta| (share, delta)),
            capacity,
            values: Buffer::zeros(&gpu, "alphas and betas", 2 * capacity * vectors)?,
            product_short: oriented.short_zeros(columns)?,
            product_long: oriented.long_zeros(columns)?,
            other: oriented.long_zeros(columns)?,
            others: Vec::new(),
            exponents: Vec::new(),
            gpu,
        })
    }

    /// Iterates until every chain is done, and leaves each item's vector on the short side in `vectors`.
    async fn iterate(&mut self, vectors: &Tensor) -> Result<()> {
        self.first_start()?;
        loop {
            let alive: Vec<bool> = self.chains.iter().map(|chain| chain.done.is_none()).collect();
            self.cycle().await?;
            self.extract(&alive, vectors)?;
            if self.finished() {
                return Ok(());
            }
            self.restart(vectors)?;
        }
    }

    #[cfg(test)]
    pub(super) fn exponents(&self) -> &[i32] {
        &self.exponents
    }

    fn finished(&self) -> bool {
        self.chains.iter().all(|chain| chain.done.is_some())
    }

    /// A random vector for each chain of an item; the first chain's does not depend on how many there are.
    fn random(&self, stream: u64) -> Vec<f32> {
        let of_chain =
            |column: usize| random_unit(self.options.seed, ((column as u64) << 32) + stream, self.oriented.short);
        (0..self.columns).flat_map(of_chain).collect()
    }

    /// Puts the start vectors in: those of an earlier result where there are any, else random ones.
    pub(super) fn first_start(&mut self) -> Result<()> {
        let slot = self.basis.slot(0)?;
        let (batch, short) = (self.chains.len() / self.columns, self.oriented.short);
        let random = self.random(0);
        slot.buffer().write(&self.gpu, "start", 0, &random.repeat(batch))?;
        if self.bound.is_some() && short > 0 {
            let starts = random.chunks_exact(short).cycle();
            self.chains.iter_mut().zip(starts).for_each(|(chain, start)| chain.first.start(start));
        }
        let Some(earlier) = self.control.start else { return Ok(()) };
        let vectors = if self.oriented.transposed { earlier.left() } else { earlier.right() };
        if vectors.len() != batch * short || earlier.items.len() != batch {
            return Err(Error::ShapeMismatch {
                operation: "warm start",
                expected: format!("a result for {batch} operators with vectors of length {short}"),
                found: format!("{:?}", vectors.shape()),
            });
        }
        // The first chain starts warm, the others at random.
        let mut recorder = self.gpu.recorder();
        for (item, result) in earlier.items.iter().enumerate() {
            if !matches!(result.status, Status::Zero | Status::NonFinite) {
                let (from, to) = (item * short, item * self.columns * short);
                recorder.copy(&vectors.buffer().slice(from..from + short), &slot.buffer().slice(to..to + short))?;
            }
        }
        recorder.submit()
    }

    /// Records one step: the product with the latest basis vector, alpha, the product back, beta, the next basis vector.
    fn record_step(&mut self, recorder: &mut Recorder, step: usize, first_cycle: bool) -> Result<()> {
        self.record_forward(recorder, step, first_cycle)?;
        self.record_backward(recorder, step)
    }

    /// Records alpha u = A v - beta u, with the latest u before and after it in `other`.
    fn record_forward(&mut self, recorder: &mut Recorder, step: usize, first_cycle: bool) -> Result<()> {
        let (vectors, long) = (self.chains.len(), self.oriented.long);
        let current = self.basis.slot(step)?;
        let forward = self.product_long.clone();
        let mask = self.memory.active.clone();
        let place = 2 * step * vectors;
        recorder.masked(&mask, |recorder| {
            self.oriented.forward(recorder, &mask, &current, &forward)?;
            if step == 0 && first_cycle {
                self.memory.measure_range(recorder, long, forward.buffer())?;
            }
            let factors = &self.memory.factors;
            if step > 0 {
                let beta = (-1.0, &self.values, place - vectors);
                ops::axpby(recorder, (vectors, long), beta, self.other.buffer(), factors, forward.buffer())?;
            }
            let measured = (forward.buffer(), long, step == 0);
            let counted = (2 * step, breakdown(step));
            self.memory.normalise(recorder, measured, (&self.values, place), counted, self.other.buffer())
        })
    }

    /// Records beta v = Aᵀ u - alpha v, orthogonal to the whole basis, with the new v in the next slot.
    fn record_backward(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let (vectors, short) = (self.chains.len(), self.oriented.short);
        let (current, next) = (self.basis.slot(step)?, self.basis.slot(step + 1)?);
        let backward = self.product_short.clone();
        let mask = self.memory.active.clone();
        let place = 2 * step * vectors;
        recorder.masked(&mask, |recorder| {
            let factors = &self.memory.factors;
            self.oriented.backward(recorder, &mask, &self.other, &backward)?;
            let alpha = (-1.0, &self.values, place);
            ops::axpby(recorder, (vectors, short), alpha, current.buffer(), factors, backward.buffer())?;
            // Twice is enough (Kahan and Parlett): where beta is small next to alpha, one pass leaves rounding errors of
            // the size of what is left, and a basis that is not orthogonal lets the recurrence grow without bound.
            self.basis.orthogonalise(recorder, step + 1, backward.buffer())?;
            self.basis.orthogonalise(recorder, step + 1, backward.buffer())?;
            let measured = (backward.buffer(), short, false);
            let counted = (2 * step + 1, breakdown(step));
            self.memory.normalise(recorder, measured, (&self.values, place + vectors), counted, next.buffer())
        })
    }

    /// Steps until every chain is done or the basis is full.
    pub(super) async fn cycle(&mut self) -> Result<()> {
        let first_cycle = self.iterations == 0;
        let before = self.iterations;
        let limit = self.capacity.min(self.options.max_iter - before);
        let vectors = self.chains.len();
        let mut recorded = 0;
        let mut read = 0;
        let mut flight: VecDeque<InFlight> = VecDeque::new();
        while self.chains.iter().any(|chain| chain.done.is_none() && chain.stage != Stage::Again) {
            let room = limit - recorded;
            let plan = self.plan(recorded);
            let waiting = flight.len();
            if room > 0 && (waiting == 0 || (waiting == 1 && plan.look_ahead)) {
                let end = recorded + plan.steps.min(room).min(self.oriented.short);
                let mut recorder = self.gpu.recorder();
                for (done, step) in (recorded..end).enumerate() {
                    if done > 0 && done % plan.steps_per_submit == 0 {
                        std::mem::replace(&mut recorder, self.gpu.recorder()).submit_async().await?;
                    }
                    self.record_step(&mut recorder, step, first_cycle)?;
                }
                let values = recorder.read(&self.values.slice(2 * recorded * vectors..2 * end * vectors))?;
                let of_bound = if self.bound.is_some() && first_cycle { recorded + 1..end + 1 } else { 0..0 };
                let slots =
                    of_bound.map(|slot| recorder.read(self.basis.slot(slot)?.buffer())).collect::<Result<_>>()?;
                recorder.submit_async().await?;
                flight.push_back(InFlight { end, values, slots });
                recorded = end;
                continue;
            }
            let Some(InFlight { end, values, slots }) = flight.pop_front() else { break };
            let contents = values.contents().await?;
            if self.exponents.is_empty() {
                self.exponents = self.memory.exponents().await?;
                // A first product that is not finite leaves no norms behind.
                for (chain, stop) in self.chains.iter_mut().zip(self.memory.stops().await?) {
                    if stop == StopKind::NonFinite && chain.done.is_none() {
                        chain.done = Some(Status::NonFinite);
                    }
                }
            }
            let mut slots = slots.into_iter();
            for (offset, step) in contents.chunks_exact(2 * vectors).enumerate() {
                let next = match slots.next() {
                    Some(slot) => slot.contents().await?,
                    None => Vec::new(),
                };
                for (vector, chain) in self.chains.iter_mut().enumerate() {
                    chain.take(read + offset, step[vector], step[vectors + vector]);
                    if chain.first.wants_vector() {
                        chain.first.push_vector(&next[vector * self.oriented.short..][..self.oriented.short]);
                    }
                }
            }
            read = end;
            self.iterations = before + read;
            if self.bound.is_some() && first_cycle {
                self.measure().await?;
            }
            self.judge(before + read)?;
            self.report(before + read)?;
            // Chains whose space is invariant wait until nothing is in flight, so that all agree on the next slot.
            if self.chains.iter().any(Chain::wants_start) && flight.is_empty() && recorded < limit {
                self.start_again(recorded)?;
            } else if self.chains.iter().all(Chain::is_idle) {
                // Nothing runs but what is in flight already; it is read, and then the chains start again.
                while let Some(InFlight { end, values, .. }) = flight.pop_front() {
                    values.contents().await?;
                    let idle = end - read;
                    self.chains
                        .iter_mut()
                        .for_each(|chain| (0..idle).for_each(|step| chain.take(read + step, 0.0, 0.0)));
                    read = end;
                }
                if self.chains.iter().any(Chain::wants_start) && recorded < limit {
                    self.start_again(recorded)?;
                }
            }
        }
        let out_of_steps = self.iterations >= self.options.max_iter;
        for chain in self.chains.iter_mut().filter(|chain| chain.done.is_none()) {
            chain.iterations = self.iterations;
            chain.done = chain.status_at_the_end(self.goal, out_of_steps);
        }
        Ok(())
    }

    /// Measures the new steps that an upper bound rests on.
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

    fn judge(&mut self, iterations: usize) -> Result<()> {
        let share = self.bound.map(|(share, _)| share);
        for chain in self.chains.iter_mut().filter(|chain| !chain.closed) {
            chain.judge(self.goal, self.oriented.short, share.as_ref());
        }
        for item in 0..self.chains.len() / self.columns {
            self.judge_item(item);
        }
        for (vector, chain) in self.chains.iter_mut().enumerate().filter(|(_, chain)| !chain.closed) {
            if chain.done.is_some() {
                chain.closed = true;
                chain.iterations = iterations;
            }
            if chain.is_idle() {
                self.memory.set_active(vector, false)?;
            }
        }
        Ok(())
    }

    /// Decides what no chain can alone: whether the bounds are close enough, and which chain looks for copies.
    fn judge_item(&mut self, item: usize) {
        let best = self.best(item);
        let (sigma, upper) = (self.in_range_of_operator(best, self.chains[best].sigma()), self.upper(item));
        let chains = &mut self.chains[item * self.columns..(item + 1) * self.columns];
        if chains.iter().all(|chain| chain.done.is_some()) {
            return;
        }
        let settled = chains.iter().all(|chain| chain.done.is_some() || chain.stage == Stage::Settled);
        let open = chains.iter_mut().filter(|chain| chain.done.is_none());
        match self.goal {
            Goal::Norm { stop: Stop::Bound { rtol, .. }, .. } => {
                let width = upper / sigma - 1.0;
                let done = match width <= rtol {
                    true => Some(Status::Converged),
                    false => settled.then_some(Status::Stagnated),
                };
                open.for_each(|chain| {
                    chain.error = width;
                    chain.done = done;
                });
            }
            Goal::Norm { multiplicity: true, .. } if settled => {
                open.for_each(|chain| chain.done = Some(Status::Converged));
                let chain = &mut self.chains[best];
                if chain.stage == Stage::Settled {
                    (chain.done, chain.stage, chain.invariant) = (None, Stage::Probing, true);
                }
            }
            _ => {}
        }
    }

    /// The chain of an item that found the largest value, the first of them if they are equal.
    fn best(&self, item: usize) -> usize {
        let first = item * self.columns;
        let sigma = |vector: usize| self.in_range_of_operator(vector, self.chains[vector].sigma());
        (first + 1..first + self.columns)
            .fold(first, |best, vector| if sigma(vector) > sigma(best) { vector } else { best })
    }

    /// What no chain of an item can exceed, but for the share of starts that the bound allows.
    fn upper(&self, item: usize) -> f64 {
        let vectors = item * self.columns..(item + 1) * self.columns;
        vectors.map(|vector| self.in_range_of_operator(vector, self.chains[vector].upper)).fold(0.0, f64::max)
    }

    /// A value of a chain, which works with a power of two of its own, in units of the operator's products.
    fn in_range_of_operator(&self, vector: usize, value: f64) -> f64 {
        scale_by_power(value, self.exponents.get(vector).copied().unwrap_or(0))
    }

    /// What the chains of an item found, in units of the operator's products.
    fn found(&self, item: usize) -> Option<Found> {
        let chains = &self.chains[item * self.columns..(item + 1) * self.columns];
        let best = self.best(item);
        let chain = &self.chains[best];
        let non_finite = chains.iter().any(|chain| chain.done == Some(Status::NonFinite));
        let copies = if self.oriented.short == 1 { Some(1) } else { chain.copies };
        Some(Found {
            status: if non_finite { Status::NonFinite } else { chain.done? },
            second: chain.second().map(|second| self.in_range_of_operator(best, second)),
            iterations: chains.iter().map(|chain| chain.iterations).max().unwrap_or(0),
            complete: chain.dimensions() >= self.oriented.short && (copies.is_some() || self.oriented.short == 1),
            multiplicity: copies,
            upper: self.bound.map(|(_, delta)| (self.upper(item), delta)),
        })
    }

    /// The best vector of each item out of those of all its chains.
    fn best_vectors(&self, vectors: &Tensor) -> Result<Tensor> {
        if self.columns == 1 {
            return Ok(vectors.clone());
        }
        let short = self.oriented.short;
        let best = self.oriented.short_zeros(1)?;
        let mut recorder = self.gpu.recorder();
        for item in 0..self.chains.len() / self.columns {
            let (from, to) = (self.best(item) * short, item * short);
            recorder.copy(&vectors.buffer().slice(from..from + short), &best.buffer().slice(to..to + short))?;
        }
        recorder.submit()?;
        Ok(best)
    }

    /// The power of two that the best chain of each item worked with.
    fn best_factors(&self) -> Result<Buffer<f32>> {
        if self.columns == 1 {
            return Ok(self.memory.factors.clone());
        }
        let exponent = |vector: usize| self.exponents.get(vector).copied().unwrap_or(0);
        let factors: Vec<f32> = (0..self.chains.len() / self.columns)
            .map(|item| scale_by_power(1.0, -exponent(self.best(item))) as f32)
            .collect();
        Buffer::from_slice(&self.gpu, "factors", &factors)
    }

    fn report(&mut self, iterations: usize) -> Result<()> {
        if self.control.on_status.is_none() {
            return Ok(());
        }
        let items = self.chains.len() / self.columns;
        let chains = |item: usize| self.chains[item * self.columns..(item + 1) * self.columns].iter();
        let is_done = |item: &usize| chains(*item).all(|chain| chain.done.is_some());
        let item = (0..items).find(|item| !is_done(item)).unwrap_or(items.saturating_sub(1));
        let best = self.best(item);
        let exponent = self.oriented.operator.exponent(item);
        let progress = Progress {
            iterations,
            converged: (0..items).filter(is_done).count(),
            items,
            sigma: scale_by_power(self.in_range_of_operator(best, self.chains[best].sigma()), exponent),
            error: self.chains[best].error,
            upper: scale_by_power(self.upper(item), exponent),
        };
        let callback = self.control.on_status.as_mut();
        if callback.is_some_and(|callback| callback(&progress).is_break()) {
            return Err(Error::Cancelled { operation: "Lanczos", iterations });
        }
        Ok(())
    }

    /// How many steps to record next, and whether to do so before the last ones have been read.
    fn plan(&self, recorded: usize) -> Plan {
        // A product takes one pass over the operator for all columns, but as much arithmetic as that many passes.
        let passes = 2 * self.columns as u64;
        let bytes = self.oriented.operator.bytes_per_product().saturating_mul(passes).max(1);
        let affordable = (self.gpu.capabilities().profile.bytes_per_submit / bytes).clamp(1, 1000) as usize;
        let steps_per_submit = affordable.min(16);
        // Between two readings the error falls by a factor that tells how many steps the slowest chain still needs.
        let running = || self.chains.iter().filter(|chain| !chain.is_idle());
        let slowest = running().map(|chain| chain.steps_to_go(self.goal)).fold(0.0, f64::max);
        let started_again = running().any(Chain::has_started_again);
        // A start within a space of copies is at its end at once, and every step past that is a slot of the basis in vain.
        let fresh = running().any(Chain::is_at_another_start);
        let steps = match slowest {
            _ if fresh => 2,
            _ if recorded < 8 || started_again => 4,
            left if left <= 2.0 => 2,
            left if left <= 8.0 => (left.ceil() as usize).next_multiple_of(2),
            _ => 8,
        };
        // Looking ahead is worth a few steps too many only where they cost less than a wait for the device.
        let waits = self.chains.iter().any(Chain::wants_start);
        let look_ahead = !fresh && recorded >= 4 && slowest > 2.0 * steps as f64 && affordable > 2 * steps && !waits;
        Plan { steps, steps_per_submit, look_ahead }
    }

    /// Puts a new random vector, orthogonal to everything found, into the next slot of each chain whose space is invariant.
    fn start_again(&mut self, step: usize) -> Result<()> {
        let chosen: Vec<bool> = self.chains.iter().map(Chain::wants_start).collect();
        let wanted = || chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(vector, _)| vector);
        let short = self.oriented.short;
        let random = self.random(1 + step as u64);
        let scratch = Memory::new(&self.gpu, &chosen)?;
        // What came before is closed off: nothing couples it to the new vector, on the host or on the device.
        let closed: Vec<_> = wanted().map(|vector| (vector, self.chains[vector].start_again(step))).collect();
        self.keep(&closed)?;
        for vector in wanted() {
            let column = vector % self.columns;
            let own = &random[column * short..(column + 1) * short];
            self.product_short.buffer().write(&self.gpu, "start", vector * short, own)?;
            self.memory.set_active(vector, true)?;
            self.values.write(&self.gpu, "alphas and betas", (2 * step - 1) * chosen.len() + vector, &[0.0])?;
        }
        let slot = self.basis.slot(step)?;
        let norms = Buffer::zeros(&self.gpu, "norms", self.chains.len())?;
        let mut recorder = self.gpu.recorder();
        recorder.masked(&scratch.active, |recorder| {
            let vector = self.product_short.buffer();
            self.basis.orthogonalise(recorder, step, vector)?;
            self.basis.orthogonalise(recorder, step, vector)?;
            scratch.normalise(recorder, (vector, short, false), (&norms, 0), (0, 0.0), slot.buffer())
        })?;
        recorder.submit()
    }

    /// Puts what is kept of spaces in place of their vectors, and nothing in the slots that hold nothing any more: a vector
    /// that the host has no coefficients of must not be taken out of those to come.
    fn keep(&mut self, closed: &[(usize, Closed)]) -> Result<()> {
        let short = self.oriented.short;
        let most = closed.iter().map(|(_, closed)| closed.kept.len()).max().unwrap_or(0);
        let mut combined = Vec::with_capacity(most);
        let mut recorder = self.gpu.recorder();
        for rank in 0..most {
            let mut coefficients = vec![Vec::new(); self.chains.len()];
            for (vector, closed) in closed.iter().filter(|(_, closed)| rank < closed.kept.len()) {
                coefficients[*vector] = [&vec![0.0; closed.start][..], &closed.kept[rank]].concat();
            }
            let fresh = self.oriented.short_zeros(self.columns)?;
            self.basis.combine(&mut recorder, &coefficients, fresh.buffer())?;
            combined.push(fresh);
        }
        recorder.submit()?;
        let nothing = vec![0.0; short];
        let mut recorder = self.gpu.recorder();
        for (vector, closed) in closed {
            let place = vector * short..(vector + 1) * short;
            for (rank, fresh) in combined.iter().enumerate().take(closed.kept.len()) {
                let slot = self.basis.slot(closed.start + rank)?;
                recorder.copy(&fresh.buffer().slice(place.clone()), &slot.buffer().slice(place.clone()))?;
            }
            for slot in closed.idle.clone() {
                self.basis.slot(slot)?.buffer().write(&self.gpu, "start", place.start, &nothing)?;
            }
        }
        recorder.submit()
    }

    /// Records the best vector of each chain that took part in this cycle, and the others of its copies.
    fn extract(&mut self, alive: &[bool], vectors: &Tensor) -> Result<()> {
        let copies = |(chain, alive): (&Chain, &bool)| if *alive { chain.copies_of_leading() } else { Vec::new() };
        let coefficients: Vec<Vec<Vec<f64>>> = self.chains.iter().zip(alive).map(copies).collect();
        let most = coefficients.iter().map(Vec::len).max().unwrap_or(0);
        while self.others.len() + 1 < most {
            self.others.push(self.oriented.short_zeros(self.columns)?);
        }
        let chosen = Memory::new(&self.gpu, alive)?;
        let mut recorder = self.gpu.recorder();
        for (rank, target) in std::iter::once(vectors).chain(&self.others).take(most).enumerate() {
            let row = |copies: &Vec<Vec<f64>>| copies.get(rank).cloned().unwrap_or_default();
            let coefficients: Vec<Vec<f64>> = coefficients.iter().map(row).collect();
            let fresh = self.oriented.short_zeros(self.columns)?;
            self.basis.combine(&mut recorder, &coefficients, fresh.buffer())?;
            recorder.masked(&chosen.active, |recorder| {
                let shape = (alive.len(), self.oriented.short);
                ops::scale(recorder, shape, &chosen.ones, fresh.buffer(), target.buffer())
            })?;
        }
        recorder.submit()
    }

    /// Starts the chains that are not done again, from their best vectors.
    fn restart(&mut self, vectors: &Tensor) -> Result<()> {
        let short = self.oriented.short;
        self.basis.clear();
        let slot = self.basis.slot(0)?;
        let alive: Vec<bool> = self.chains.iter().map(|chain| chain.done.is_none()).collect();
        let chosen = Memory::new(&self.gpu, &alive)?;
        let norms = Buffer::zeros(&self.gpu, "norms", alive.len())?;
        let mut recorder = self.gpu.recorder();
        recorder.masked(&chosen.active, |recorder| {
            chosen.normalise(recorder, (vectors.buffer(), short, false), (&norms, 0), (0, 0.0), slot.buffer())
        })?;
        recorder.submit()?;
        self.values = Buffer::zeros(&self.gpu, "alphas and betas", self.values.len())?;
        for (vector, chain) in self.chains.iter_mut().enumerate().filter(|(_, chain)| chain.done.is_none()) {
            *chain = chain.restarted();
            self.memory.set_active(vector, true)?;
        }
        Ok(())
    }
}

/// Steps whose results are on their way to the host.
struct InFlight {
    /// The steps recorded until then.
    end: usize,
    values: ReadBack<f32>,
    /// The vector after each of the steps, where an upper bound needs them.
    slots: Vec<ReadBack<f32>>,
}

struct Plan {
    steps: usize,
    steps_per_submit: usize,
    look_ahead: bool,
}
