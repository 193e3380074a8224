//! Golub-Kahan-Lanczos: the default way to a spectral norm.

use std::collections::VecDeque;

use super::basis::Basis;
use super::bidiagonal::{Bidiagonal, Leading};
use super::control::{Control, Progress};
use super::finish::{Found, Oriented, finish};
use super::memory::Memory;
use super::result::{SpectralNorms, Status};
use super::start::random_unit;
use super::stop::estimate;
use crate::gpu::{Buffer, Gpu, ReadBack, Recorder};
use crate::operator::LinearOperator;
use crate::tensor::Tensor;
use crate::{Error, Result, ops};

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
    /// The relative error of sigma that residual and gap may let one expect. Default 1e-6.
    pub rtol: f64,
    /// Steps at the most. Default 1000.
    pub max_iter: usize,
    /// The seed of the start vector; the same on every adapter. Default 0.
    pub seed: u64,
    /// Device memory for the Krylov basis, in bytes; past it the iteration starts again from the best vector so far.
    /// Default 1 GiB.
    pub basis_bytes: u64,
}

impl Default for Lanczos {
    fn default() -> Self {
        Self { rtol: 1e-6, max_iter: 1000, seed: 0, basis_bytes: 1 << 30 }
    }
}

impl Lanczos {
    /// The spectral norm of each item of an operator.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for options that mean nothing, [`Error::TooLarge`] or [`Error::OutOfMemory`] for vectors
    /// past the device's limits, [`Error::DeviceLost`].
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
        let goal = Goal::Norm { rtol: self.rtol };
        let mut run = Run::new(self, &oriented, &settled, goal, control)?;
        let vectors = oriented.short_zeros()?;
        if settled.iter().any(Option::is_none) {
            run.iterate(&vectors).await?;
        }
        let found: Vec<_> = run.chains.iter().map(|chain| chain.found(oriented.short)).collect();
        let products = 2 * run.iterations;
        finish(&oriented, &run.memory, &vectors, &found, settled, (self.rtol, products)).await
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse =
            |option, value: String, allowed| Err(Error::InvalidOption { operation: "Lanczos", option, value, allowed });
        if !(self.rtol.is_finite() && self.rtol > 0.0) {
            return refuse("rtol", self.rtol.to_string(), "positive and finite");
        }
        if self.max_iter == 0 {
            return refuse("max_iter", self.max_iter.to_string(), "at least 1");
        }
        Ok(())
    }
}

/// When a chain is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// The largest singular value is within the tolerance.
    Norm { rtol: f64 },
    /// The largest `count` triplets are, copies of repeated values included.
    Top { count: usize, rtol: f64 },
}

/// Steps that a chain takes from a second start, after its first space turned out invariant.
const PROBE_STEPS: usize = 10;

/// Relative size of a norm that is nothing but rounding, times √steps.
const BREAKDOWN: f32 = 4.0 / 8_388_608.0;

/// The Krylov space of one item, as the host sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    alphas: Vec<f64>,
    betas: Vec<f64>,
    largest: f32,
    /// Steps at which a start vector was put in; several where spaces turned out invariant.
    starts: Vec<usize>,
    /// Whether the latest space is invariant.
    invariant: bool,
    dimensions: usize,
    pub(super) done: Option<Status>,
    /// Whether the run has taken note that it is done.
    closed: bool,
    /// Iterations until it was done, earlier cycles included.
    iterations: usize,
    leading: Option<Leading>,
    pub(super) error: f64,
    /// Whether sigma is the edge of a dense spectrum, as far as the space can tell.
    dense_edge: bool,
    /// Steps at the last reading, and steps and error at the one before.
    judged: usize,
    earlier: (usize, f64),
}

impl Chain {
    /// Takes in one step, as the device measured it.
    fn take(&mut self, step: usize, alpha: f32, beta: f32) {
        if self.done.is_some() {
            return;
        }
        if self.invariant {
            self.alphas.push(0.0);
            self.betas.push(0.0);
            return;
        }
        let threshold = breakdown(step);
        if !alpha.is_finite() || !beta.is_finite() {
            self.done = Some(Status::NonFinite);
            return;
        }
        self.dimensions += 1;
        let noise = |norm: f32, largest: f32| norm <= threshold * largest;
        if noise(alpha, self.largest) {
            self.alphas.push(0.0);
            self.betas.push(0.0);
            self.invariant = true;
            return;
        }
        self.largest = self.largest.max(alpha);
        self.alphas.push(f64::from(alpha));
        self.invariant = noise(beta, self.largest);
        self.betas.push(if self.invariant { 0.0 } else { f64::from(beta) });
        self.largest = self.largest.max(beta);
    }

    pub(super) fn matrix(&self) -> Bidiagonal {
        let inner = self.alphas.len().saturating_sub(1);
        Bidiagonal {
            alphas: self.alphas.clone(),
            betas: self.betas[..inner].to_vec(),
            residual: if self.invariant { 0.0 } else { self.betas.last().copied().unwrap_or(0.0) },
        }
    }

    /// Basis vectors in use.
    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Steps since the latest start vector.
    fn steps_since_start(&self) -> usize {
        self.alphas.len() - self.starts.last().copied().unwrap_or(0)
    }

    /// Steps that the chain still needs, if its error goes on to fall as it did between the last two readings.
    fn steps_to_go(&self, goal: Goal) -> f64 {
        let (Goal::Norm { rtol } | Goal::Top { rtol, .. }) = goal;
        let (steps, error) = self.earlier;
        let rate = (error / self.error).ln() / (self.alphas.len() - steps.min(self.alphas.len())).max(1) as f64;
        if rate > 0.0 && rate.is_finite() { (self.error / rtol).ln() / rate } else { f64::MAX }
    }

    fn found(&self, short: usize) -> Option<Found> {
        let status = self.done?;
        let second = self.leading.as_ref().filter(|_| self.dimensions > 1).map(|leading| leading.second);
        Some(Found { status, second, iterations: self.iterations, complete: short == 1 })
    }

    /// Decides whether the chain is done, in a space that can have `short` dimensions at the most.
    fn judge(&mut self, goal: Goal, short: usize) {
        if self.done.is_some() || self.alphas.is_empty() {
            return;
        }
        let full = self.dimensions >= short;
        let matrix = self.matrix();
        let leading = matrix.leading();
        let steps = self.alphas.len();
        let expected = estimate(&matrix, &leading, steps, self.dense_edge);
        self.dense_edge = expected.dense_edge;
        self.earlier = (self.judged, self.error);
        self.judged = steps;
        self.error = if self.invariant || full { 0.0 } else { expected.error };
        let probed = self.starts.len() > 1 && (self.invariant || self.steps_since_start() >= PROBE_STEPS);
        let converged = match goal {
            Goal::Norm { rtol } => {
                let accurate = self.error <= rtol;
                // An invariant space shows repeated values once: one more start tells what the rest holds.
                accurate && (full || probed || (self.starts.len() == 1 && !self.invariant))
            }
            Goal::Top { count, rtol } => full || self.top_is_settled(&matrix, count, rtol),
        };
        if converged {
            self.done = Some(if leading.sigma > f64::MIN_POSITIVE { Status::Converged } else { Status::Zero });
        }
        self.leading = Some(leading);
    }

    /// Whether the largest `count` triplets have converged, and a start orthogonal to them brought nothing larger.
    fn top_is_settled(&mut self, matrix: &Bidiagonal, count: usize, rtol: f64) -> bool {
        let triplets = matrix.triplets();
        let Some(largest) = triplets.first().map(|triplet| triplet.0) else { return false };
        let accurate = |triplet: &(f64, Vec<f64>, Vec<f64>)| matrix.residual_of(&triplet.1) <= 0.1 * rtol * largest;
        let wanted = &triplets[..count.min(triplets.len())];
        let worst = wanted.iter().map(|triplet| matrix.residual_of(&triplet.1)).fold(0.0, f64::max);
        self.error = 10.0 * worst / largest;
        let settled = wanted.len() == count && wanted.iter().all(accurate);
        if !settled && !self.invariant {
            return false;
        }
        let start = self.starts.last().copied().unwrap_or(0);
        if start == 0 {
            // Ask for another start: what was found is as good as invariant.
            self.invariant = true;
            return false;
        }
        // The latest space counts by the triplets that live in it; its largest must have converged, and be below the rest.
        let weight =
            |triplet: &&(f64, Vec<f64>, Vec<f64>)| triplet.2[start..].iter().map(|part| part * part).sum::<f64>() > 0.5;
        let entered = wanted.iter().any(|triplet| weight(&triplet));
        let below = triplets.iter().find(weight).is_none_or(|triplet| {
            matrix.residual_of(&triplet.1) <= 1e-2 * (wanted.last().map_or(0.0, |last| last.0) - triplet.0).max(0.0)
                || accurate(triplet)
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
}

fn breakdown(step: usize) -> f32 {
    BREAKDOWN * ((step + 1) as f32).sqrt()
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
    /// Steps of this cycle at the most.
    capacity: usize,
    /// alpha and beta of each step, each one a vector.
    values: Buffer<f32>,
    product_short: Tensor,
    product_long: Tensor,
    other: Tensor,
    /// Exponents of the powers of two that the device divides products by; known after the first reading.
    exponents: Vec<i32>,
}

impl<'a, 'c, O: LinearOperator + ?Sized> Run<'a, 'c, O> {
    pub(super) fn new(
        options: &'a Lanczos,
        oriented: &'a Oriented<'a, O>,
        settled: &[Option<super::SpectralNorm>],
        goal: Goal,
        control: Control<'c>,
    ) -> Result<Self> {
        let gpu = oriented.operator.gpu().clone();
        let batch = settled.len();
        let open: Vec<bool> = settled.iter().map(Option::is_none).collect();
        let any = open.contains(&true);
        let basis = Basis::new(&gpu, batch, oriented.short);
        // A few slots more than dimensions, as taking up a chain that broke down leaves gaps.
        let wanted = options.max_iter.min(oriented.short.saturating_mul(2).saturating_add(64));
        let capacity = if any { wanted.min(basis.slots_within(options.basis_bytes)).max(2) } else { 0 };
        let chains = open.iter().map(|open| Chain {
            done: (!open).then_some(Status::Zero),
            closed: !open,
            starts: vec![0],
            error: f64::INFINITY,
            ..Chain::default()
        });
        Ok(Self {
            options,
            oriented,
            goal,
            control,
            memory: Memory::new(&gpu, &open)?,
            basis,
            chains: chains.collect(),
            iterations: 0,
            capacity,
            values: Buffer::zeros(&gpu, "alphas and betas", 2 * capacity * batch)?,
            product_short: oriented.short_zeros()?,
            product_long: oriented.long_zeros()?,
            other: oriented.long_zeros()?,
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

    fn finished(&self) -> bool {
        self.chains.iter().all(|chain| chain.done.is_some())
    }

    /// Puts the start vectors in: those of an earlier result where there are any, else random ones.
    pub(super) fn first_start(&mut self) -> Result<()> {
        let slot = self.basis.slot(0)?;
        let (batch, short) = (self.chains.len(), self.oriented.short);
        let random = random_unit(self.options.seed, 0, short);
        let Some(earlier) = self.control.start else {
            return slot.buffer().write(&self.gpu, "start", 0, &random.repeat(batch));
        };
        let vectors = if self.oriented.transposed { earlier.left() } else { earlier.right() };
        if vectors.len() != batch * short || earlier.items.len() != batch {
            return Err(Error::ShapeMismatch {
                operation: "warm start",
                expected: format!("a result for {batch} operators with vectors of length {short}"),
                found: format!("{:?}", vectors.shape()),
            });
        }
        let mut recorder = self.gpu.recorder();
        recorder.copy(vectors.buffer(), slot.buffer())?;
        recorder.submit()?;
        for (item, result) in earlier.items.iter().enumerate() {
            if matches!(result.status, Status::Zero | Status::NonFinite) {
                slot.buffer().write(&self.gpu, "start", item * short, &random)?;
            }
        }
        Ok(())
    }

    /// Records one step: the product with the latest basis vector, alpha, the product back, beta, the next basis vector.
    fn record_step(&mut self, recorder: &mut Recorder, step: usize, first_cycle: bool) -> Result<()> {
        let (batch, short, long) = (self.chains.len(), self.oriented.short, self.oriented.long);
        let (current, next) = (self.basis.slot(step)?, self.basis.slot(step + 1)?);
        let (forward, backward) = (self.product_long.clone(), self.product_short.clone());
        let mask = self.memory.active.clone();
        let threshold = breakdown(step);
        let place = |half: usize| (2 * step + half) * batch;
        recorder.masked(&mask, |recorder| {
            self.oriented.forward(recorder, &mask, &current, &forward)?;
            if step == 0 && first_cycle {
                self.memory.measure_range(recorder, long, forward.buffer())?;
            }
            let factors = &self.memory.factors;
            if step > 0 {
                let beta = (-1.0, &self.values, place(0) - batch);
                ops::axpby(recorder, (batch, long), beta, self.other.buffer(), factors, forward.buffer())?;
            }
            let measured = (forward.buffer(), long, step == 0);
            let (values, at) = (&self.values, place(0));
            self.memory.normalise(recorder, measured, (values, at), (2 * step, threshold), self.other.buffer())?;

            self.oriented.backward(recorder, &mask, &self.other, &backward)?;
            let alpha = (-1.0, &self.values, place(0));
            ops::axpby(recorder, (batch, short), alpha, current.buffer(), factors, backward.buffer())?;
            // Twice is enough (Kahan and Parlett): where beta is small next to alpha, one pass leaves rounding errors of
            // the size of what is left, and a basis that is not orthogonal lets the recurrence grow without bound.
            self.basis.orthogonalise(recorder, step + 1, backward.buffer())?;
            self.basis.orthogonalise(recorder, step + 1, backward.buffer())?;
            let (values, at) = (&self.values, place(1));
            let measured = (backward.buffer(), short, false);
            self.memory.normalise(recorder, measured, (values, at), (2 * step + 1, threshold), next.buffer())
        })
    }

    /// Steps until every chain is done or the basis is full.
    pub(super) async fn cycle(&mut self) -> Result<()> {
        let first_cycle = self.iterations == 0;
        let before = self.iterations;
        let limit = self.capacity.min(self.options.max_iter - before);
        let batch = self.chains.len();
        let mut recorded = 0;
        let mut read = 0;
        let mut flight: VecDeque<(usize, ReadBack<f32>)> = VecDeque::new();
        while !self.finished() {
            let room = limit - recorded;
            let plan = self.plan(recorded);
            let waiting = flight.len();
            if room > 0 && (waiting == 0 || (waiting == 1 && plan.look_ahead)) {
                let end = recorded + plan.steps.min(room).min(self.oriented.short);
                let mut recorder = self.gpu.recorder();
                for (done, step) in (recorded..end).enumerate() {
                    if done > 0 && done % plan.steps_per_submit == 0 {
                        std::mem::replace(&mut recorder, self.gpu.recorder()).submit()?;
                    }
                    self.record_step(&mut recorder, step, first_cycle)?;
                }
                let contents = recorder.read(&self.values.slice(2 * recorded * batch..2 * end * batch))?;
                recorder.submit()?;
                flight.push_back((end, contents));
                recorded = end;
                continue;
            }
            let Some((end, contents)) = flight.pop_front() else { break };
            let contents = contents.contents().await?;
            if self.exponents.is_empty() {
                self.exponents = self.memory.exponents().await?;
            }
            for (offset, step) in contents.chunks_exact(2 * batch).enumerate() {
                for (item, chain) in self.chains.iter_mut().enumerate() {
                    chain.take(read + offset, step[item], step[batch + item]);
                }
            }
            read = end;
            self.iterations = before + read;
            self.judge(before + read)?;
            self.report(before + read)?;
            // Chains whose space is invariant wait until nothing is in flight, so that all agree on the next slot.
            let waits = |chain: &Chain| chain.done.is_none() && chain.invariant;
            if self.chains.iter().any(waits) && flight.is_empty() && recorded < limit {
                self.start_again(recorded)?;
            } else if self.chains.iter().all(|chain| chain.done.is_some() || chain.invariant) {
                // Nothing runs but what is in flight already; it is read, and then the chains start again.
                while let Some((end, contents)) = flight.pop_front() {
                    contents.contents().await?;
                    let idle = end - read;
                    self.chains
                        .iter_mut()
                        .for_each(|chain| (0..idle).for_each(|step| chain.take(read + step, 0.0, 0.0)));
                    read = end;
                }
                if self.chains.iter().any(waits) && recorded < limit {
                    self.start_again(recorded)?;
                }
            }
        }
        let out_of_steps = self.iterations >= self.options.max_iter || matches!(self.goal, Goal::Top { .. });
        for chain in self.chains.iter_mut().filter(|chain| chain.done.is_none()) {
            chain.iterations = self.iterations;
            // An invariant space with no room for another start has converged as far as its start can see.
            if chain.invariant {
                chain.done = Some(Status::Converged);
            } else if out_of_steps {
                chain.done = Some(Status::MaxIterations);
            }
        }
        Ok(())
    }

    fn judge(&mut self, iterations: usize) -> Result<()> {
        for (item, chain) in self.chains.iter_mut().enumerate().filter(|(_, chain)| !chain.closed) {
            chain.judge(self.goal, self.oriented.short);
            if chain.done.is_some() {
                chain.closed = true;
                chain.iterations = iterations;
            }
            if chain.closed || chain.invariant {
                self.memory.set_active(item, false)?;
            }
        }
        Ok(())
    }

    fn report(&mut self, iterations: usize) -> Result<()> {
        let Some(callback) = self.control.on_status.as_mut() else { return Ok(()) };
        let open = self.chains.iter().position(|chain| chain.done.is_none());
        let item = open.unwrap_or(self.chains.len().saturating_sub(1));
        let chain = &self.chains[item];
        let exponent = self.oriented.operator.exponent(item) + self.exponents.get(item).copied().unwrap_or(0);
        let sigma = chain.leading.as_ref().map_or(0.0, |leading| leading.sigma);
        let progress = Progress {
            iterations,
            converged: self.chains.iter().filter(|chain| chain.done.is_some()).count(),
            items: self.chains.len(),
            sigma: crate::tensor::screen::scale_by_power(sigma, exponent),
            error: chain.error,
        };
        if callback(&progress).is_break() {
            return Err(Error::Cancelled { operation: "Lanczos", iterations });
        }
        Ok(())
    }

    /// How many steps to record next, and whether to do so before the last ones have been read.
    fn plan(&self, recorded: usize) -> Plan {
        let bytes = self.oriented.operator.bytes_per_product().saturating_mul(2).max(1);
        let affordable = (self.gpu.capabilities().profile.bytes_per_submit / bytes).clamp(1, 1000) as usize;
        let steps_per_submit = affordable.min(16);
        // Between two readings the error falls by a factor that tells how many steps the slowest chain still needs.
        let open = self.chains.iter().filter(|chain| chain.done.is_none());
        let slowest = open.map(|chain| chain.steps_to_go(self.goal)).fold(0.0, f64::max);
        let started_again = self.chains.iter().any(|chain| chain.done.is_none() && chain.starts.len() > 1);
        let steps = match slowest {
            _ if recorded < 8 || started_again => 4,
            left if left <= 2.0 => 2,
            left if left <= 8.0 => (left.ceil() as usize).next_multiple_of(2),
            _ => 8,
        };
        // Looking ahead is worth a few steps too many only where they cost less than a wait for the device.
        let waits = self.chains.iter().any(|chain| chain.done.is_none() && chain.invariant);
        let look_ahead = recorded >= 4 && slowest > 2.0 * steps as f64 && affordable > 2 * steps && !waits;
        Plan { steps, steps_per_submit, look_ahead }
    }

    /// Puts a new random vector, orthogonal to everything found, into the next slot of each chain whose space is invariant.
    fn start_again(&mut self, step: usize) -> Result<()> {
        let chosen: Vec<bool> = self.chains.iter().map(|chain| chain.done.is_none() && chain.invariant).collect();
        let short = self.oriented.short;
        let random = random_unit(self.options.seed, 1 + step as u64, short);
        let scratch = Memory::new(&self.gpu, &chosen)?;
        for (item, _) in chosen.iter().enumerate().filter(|(_, chosen)| **chosen) {
            self.product_short.buffer().write(&self.gpu, "start", item * short, &random)?;
            self.memory.set_active(item, true)?;
            let chain = &mut self.chains[item];
            chain.invariant = false;
            chain.starts.push(step);
            // What came before is closed off: nothing couples it to the new vector, on the host or on the device.
            if let Some(last) = chain.betas.last_mut() {
                *last = 0.0;
            }
            self.values.write(&self.gpu, "alphas and betas", (2 * step - 1) * chosen.len() + item, &[0.0])?;
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

    /// Records the best vector of each chain that took part in this cycle.
    fn extract(&mut self, alive: &[bool], vectors: &Tensor) -> Result<()> {
        let short = self.oriented.short;
        let part = |(chain, alive): (&Chain, &bool)| {
            if *alive { chain.leading.as_ref().map_or(Vec::new(), |leading| leading.right.clone()) } else { Vec::new() }
        };
        let coefficients: Vec<Vec<f64>> = self.chains.iter().zip(alive).map(part).collect();
        let fresh = self.oriented.short_zeros()?;
        let chosen = Memory::new(&self.gpu, alive)?;
        let mut recorder = self.gpu.recorder();
        self.basis.combine(&mut recorder, &coefficients, fresh.buffer())?;
        recorder.masked(&chosen.active, |recorder| {
            ops::scale(recorder, (alive.len(), short), &chosen.ones, fresh.buffer(), vectors.buffer())
        })?;
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
        for chain in self.chains.iter_mut().filter(|chain| chain.done.is_none()) {
            *chain = Chain { starts: vec![0], error: chain.error, largest: chain.largest, ..Chain::default() };
        }
        Ok(())
    }
}

struct Plan {
    steps: usize,
    steps_per_submit: usize,
    look_ahead: bool,
}
