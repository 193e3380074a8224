//! Power iteration, in the two forms it is documented in elsewhere, made right.

use std::collections::VecDeque;

use super::control::{Control, Progress};
use super::dense::unit_medians;
use super::finish::{Found, Oriented, finish};
use super::memory::Memory;
use super::result::{SpectralNorms, Status};
use super::start::{random_unit, unit};
use super::stop::Stop;
use crate::gpu::{Buffer, ReadBack, Recorder};
use crate::operator::LinearOperator;
use crate::ops::{self, PowerCheck, PowerReport, StopKind};
use crate::tensor::Tensor;
use crate::tensor::screen::scale_by_power;
use crate::{Error, Result};

/// What a power iteration takes for sigma, and which residual it tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PowerForm {
    /// sigma = uᵀAv = |Av| with u = Av / |Av|; stops when |Aᵀu - sigma v| <= rtol · sigma + atol. The other residual,
    /// |Av - sigma u|, is zero by the choice of u.
    #[default]
    TwoSided,
    /// sigma² = |AᵀAv|; stops when |AᵀAv - sigma² v| <= rtol · sigma² + atol.
    Gram,
}

/// Where a power iteration starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a vector drawn uniformly from the unit sphere.
    Random {
        /// The seed.
        seed: u64,
    },
    /// At the lower medians of the columns, where the operator has entries and they are not all zero, else at random.
    /// A thousandth of a random vector is added, so that no matrix has its first singular vector orthogonal to the start.
    Median {
        /// The seed of the random part.
        seed: u64,
    },
}

impl Default for Start {
    fn default() -> Self {
        Self::Random { seed: 0 }
    }
}

/// Power iteration: v, u = Av / |Av|, v = Aᵀu / |Aᵀu|, and so on.
///
/// u and v are never iterated apart, so sigma is a norm and never negative. The operator is scaled by a power of two first:
/// results do not depend on the scale of the matrix, and `atol` is in units of the scaled operator, whose first product has
/// its largest entry in [1, 2).
///
/// It is the reference, and the step of spectral normalisation; [`super::Lanczos`] reaches the same accuracy in a
/// fraction of the products and knows the gap. A small residual says that sigma is near *some* singular value.
#[derive(Clone, Debug, PartialEq)]
pub struct Power {
    /// What is taken for sigma.
    pub form: PowerForm,
    /// Tolerance of the residual relative to sigma. Default 1e-6; `f32` reaches about 3e-7.
    pub rtol: f64,
    /// Tolerance of the residual in units of the scaled operator. Default 0.
    pub atol: f64,
    /// Iterations at the most, each of two products. Default 1000.
    pub max_iter: usize,
    /// Where it starts. Default: at random, seed 0.
    pub start: Start,
}

impl Default for Power {
    fn default() -> Self {
        Self { form: PowerForm::default(), rtol: 1e-6, atol: 0.0, max_iter: 1000, start: Start::default() }
    }
}

impl Power {
    /// The spectral norm of each item of an operator.
    ///
    /// ```
    /// use opnorm::{Gpu, Matrix, norm::Power};
    /// let matrix = Matrix::from_slice(&Gpu::new()?, 1, 1, &[-2.0])?;
    /// let norms = Power::default().norm(&matrix)?;
    /// assert!((norms.items()[0].sigma - 2.0).abs() < 1e-6);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`super::Lanczos::norm`].
    pub fn norm<O: LinearOperator + ?Sized>(&self, operator: &O) -> Result<SpectralNorms> {
        self.norm_with(operator, Control::default())
    }

    /// The spectral norm of each item, with a warm start and a callback.
    ///
    /// # Errors
    /// As [`Power::norm`]; [`Error::Cancelled`] when the callback says so.
    pub fn norm_with<O: LinearOperator + ?Sized>(&self, operator: &O, control: Control<'_>) -> Result<SpectralNorms> {
        operator.gpu().block_on(self.norm_async(operator, control))
    }

    /// [`Power::norm_with`] without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Power::norm_with`].
    pub async fn norm_async<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        control: Control<'_>,
    ) -> Result<SpectralNorms> {
        self.check()?;
        let oriented = Oriented::new(operator, false);
        let settled = oriented.settled();
        let open: Vec<bool> = settled.iter().map(Option::is_none).collect();
        let mut run = Run {
            options: self,
            oriented: &oriented,
            memory: Memory::new(operator.gpu(), &open)?,
            vectors: oriented.short_zeros(1)?,
            items: open.iter().map(|open| Item { done: (!open).then_some(Status::Zero), ..Item::default() }).collect(),
            control,
            iterations: 0,
            exponents: Vec::new(),
        };
        if open.contains(&true) {
            run.start().await?;
            run.iterate().await?;
        }
        let found: Vec<_> = run
            .items
            .iter()
            .map(|item| {
                let status = item.done.unwrap_or(Status::MaxIterations);
                Some(Found { iterations: item.report.iteration as usize, ..Found::of(status) })
            })
            .collect();
        let stop = Stop::Value { rtol: self.rtol.max(self.atol) };
        finish(&oriented, &run.memory.factors, &run.vectors, &found, settled, (stop, 2 * run.iterations)).await
    }

    fn check(&self) -> Result<()> {
        let refuse = |option, value: String, allowed| {
            Err(Error::InvalidOption { operation: "power iteration", option, value, allowed })
        };
        let tolerance = |value: f64| value.is_finite() && value >= 0.0;
        if !tolerance(self.rtol) || !tolerance(self.atol) {
            return refuse("rtol and atol", format!("{} and {}", self.rtol, self.atol), "finite and not negative");
        }
        if self.rtol == 0.0 && self.atol == 0.0 {
            return refuse("rtol and atol", "0 and 0".to_string(), "not both 0");
        }
        if self.max_iter == 0 {
            return refuse("max_iter", "0".to_string(), "at least 1");
        }
        Ok(())
    }
}

/// One item, as the host sees it.
#[derive(Clone, Debug, Default)]
struct Item {
    done: Option<Status>,
    report: PowerReport,
    /// The smallest residual so far, relative to sigma, and the iteration that brought it.
    best: Option<(f32, u32)>,
}

/// A residual of this size, relative to sigma, is near what `f32` can reach.
const FLOOR: f32 = 16.0 / 8_388_608.0;

/// Iterations near the floor without a smaller residual, after which the residual counts as stuck.
const PATIENCE: u32 = 64;

struct Run<'a, 'c, O: ?Sized> {
    options: &'a Power,
    oriented: &'a Oriented<'a, O>,
    memory: Memory,
    vectors: Tensor,
    items: Vec<Item>,
    control: Control<'c>,
    iterations: usize,
    /// Exponents of the powers of two that the device divides products by; known after the first reading.
    exponents: Vec<i32>,
}

impl<O: LinearOperator + ?Sized> Run<'_, '_, O> {
    /// Puts the start vectors in.
    async fn start(&mut self) -> Result<()> {
        let (batch, length) = (self.items.len(), self.oriented.short);
        let (Start::Random { seed } | Start::Median { seed }) = self.options.start;
        let random = random_unit(seed, 0, length);
        let buffer = self.vectors.buffer();
        let gpu = &self.memory.gpu;
        buffer.write(gpu, "start", 0, &random.repeat(batch))?;
        if let Start::Median { .. } = self.options.start {
            for item in 0..batch {
                let Some(medians) = self.oriented.operator.column_medians(item).await? else { continue };
                if medians.iter().any(|median| *median != 0.0) {
                    let blend = unit_medians(&medians).into_iter().zip(&random);
                    let blend: Vec<f64> =
                        blend.map(|(median, random)| f64::from(median) + 1e-3 * f64::from(*random)).collect();
                    buffer.write(gpu, "start", item * length, &unit(&blend))?;
                }
            }
        }
        let Some(earlier) = self.control.start else { return Ok(()) };
        if earlier.right().len() != batch * length || earlier.items().len() != batch {
            return Err(Error::ShapeMismatch {
                operation: "warm start",
                expected: format!("a result for {batch} operators with right vectors of length {length}"),
                found: format!("{:?}", earlier.right().shape()),
            });
        }
        let mut recorder = gpu.recorder();
        for (item, result) in earlier.items().iter().enumerate() {
            if !matches!(result.status, Status::Zero | Status::NonFinite) {
                let range = item * length..(item + 1) * length;
                recorder.copy(&earlier.right().buffer().slice(range.clone()), &buffer.slice(range))?;
            }
        }
        recorder.submit()
    }

    async fn iterate(&mut self) -> Result<()> {
        let gpu = self.memory.gpu.clone();
        let batch = self.items.len();
        let reports = Buffer::<PowerReport>::zeros(&gpu, "power", batch)?;
        let work = Work {
            norms: Buffer::zeros(&gpu, "power", 2 * batch)?,
            sigmas: Buffer::zeros(&gpu, "power", batch)?,
            squares: Buffer::zeros(&gpu, "power", batch * ops::Segments::for_group(&gpu, self.oriented.short).count)?,
            forward: self.oriented.long_zeros(1)?,
            left: self.oriented.long_zeros(1)?,
            backward: self.oriented.short_zeros(1)?,
        };
        let bytes = self.oriented.operator.bytes_per_product().saturating_mul(2).max(1);
        let affordable = (gpu.capabilities().profile.bytes_per_submit / bytes).clamp(1, 16) as usize;
        let mut recorded = 0;
        let mut flight: VecDeque<(usize, ReadBack<PowerReport>)> = VecDeque::new();
        while self.items.iter().any(|item| item.done.is_none()) {
            let room = self.options.max_iter - recorded;
            // Short at first, so that easy matrices stop early; then long, and one ahead of the reading.
            let ahead = if recorded < 16 { 1 } else { 2 };
            if room > 0 && flight.len() < ahead {
                let steps = room.min(recorded.clamp(2, 32));
                let mut recorder = gpu.recorder();
                for step in 0..steps {
                    if step > 0 && step % affordable == 0 {
                        std::mem::replace(&mut recorder, gpu.recorder()).submit_async().await?;
                    }
                    self.record(&mut recorder, recorded + step, &work, &reports)?;
                }
                let contents = recorder.read(&reports)?;
                recorder.submit_async().await?;
                recorded += steps;
                flight.push_back((recorded, contents));
                continue;
            }
            let Some((end, contents)) = flight.pop_front() else { break };
            let contents = contents.contents().await?;
            self.iterations = end;
            if self.exponents.is_empty() {
                self.exponents = self.memory.exponents().await?;
            }
            self.judge(&contents, end).await?;
            self.report(end)?;
        }
        Ok(())
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        iteration: usize,
        work: &Work,
        reports: &Buffer<PowerReport>,
    ) -> Result<()> {
        let (batch, short, long) = (self.items.len(), self.oriented.short, self.oriented.long);
        let memory = &self.memory;
        let mask = memory.active.clone();
        let gram = self.options.form == PowerForm::Gram;
        recorder.masked(&mask, |recorder| {
            self.oriented.forward(recorder, &mask, &self.vectors, &work.forward)?;
            if iteration == 0 {
                memory.measure_range(recorder, long, work.forward.buffer())?;
            }
            let step = (iteration, 0.0);
            let norms = &work.norms;
            memory.normalise(recorder, (work.forward.buffer(), long, true), (norms, 0), step, work.left.buffer())?;
            self.oriented.backward(recorder, &mask, &work.left, &work.backward)?;
            memory.measure(recorder, (work.backward.buffer(), short, true), (norms, batch), step)?;
            let first = if gram { batch } else { 0 };
            recorder.copy(&norms.slice(first..first + batch), &work.sigmas)?;
            let (product, direction) = (work.backward.buffer(), self.vectors.buffer());
            let shape = (batch, short);
            let segments = ops::residual_squares(
                recorder,
                shape,
                product,
                direction,
                &memory.factors,
                &work.sigmas,
                &work.squares,
            )?;
            let check = PowerCheck {
                iteration: iteration + 1,
                gram,
                rtol: self.options.rtol as f32,
                atol: self.options.atol as f32,
            };
            ops::power_check(recorder, batch, &check, (&work.squares, segments.count), norms, &memory.active, reports)?;
            ops::scale(recorder, shape, &memory.inverses, work.backward.buffer(), direction)
        })
    }

    async fn judge(&mut self, reports: &[PowerReport], end: usize) -> Result<()> {
        let left_the_mask = |report: &PowerReport| report.converged == 0 && (report.iteration as usize) < end;
        let mut states = None;
        for (index, report) in reports.iter().enumerate() {
            if self.items[index].done.is_some() {
                continue;
            }
            if left_the_mask(report) && states.is_none() {
                let mut recorder = self.memory.gpu.recorder();
                let contents = recorder.read(&self.memory.states)?;
                recorder.submit()?;
                states = Some(contents.contents().await?);
            }
            let item = &mut self.items[index];
            item.report = *report;
            if report.converged != 0 {
                item.done = Some(Status::Converged);
                continue;
            }
            if left_the_mask(report) {
                let stop = states.as_ref().map(|states| states[index].stop());
                item.done = Some(if stop == Some(StopKind::NonFinite) { Status::NonFinite } else { Status::Zero });
                continue;
            }
            let residual = report.residual / report.sigma;
            let best = item.best.get_or_insert((residual, report.iteration));
            if residual < 0.99 * best.0 {
                *best = (residual, report.iteration);
            } else if best.0 <= FLOOR && report.iteration >= best.1 + PATIENCE {
                item.done = Some(Status::Stagnated);
                self.memory.set_active(index, false)?;
            }
        }
        Ok(())
    }

    fn report(&mut self, iterations: usize) -> Result<()> {
        let Some(callback) = self.control.on_status.as_mut() else { return Ok(()) };
        let open = self.items.iter().position(|item| item.done.is_none());
        let index = open.unwrap_or(self.items.len().saturating_sub(1));
        let report = self.items[index].report;
        let exponent = self.oriented.operator.exponent(index) + self.exponents.get(index).copied().unwrap_or(0);
        let progress = Progress {
            iterations,
            converged: self.items.iter().filter(|item| item.done.is_some()).count(),
            items: self.items.len(),
            sigma: scale_by_power(f64::from(report.sigma), exponent),
            error: f64::from(report.residual / report.sigma),
            upper: f64::INFINITY,
        };
        if callback(&progress).is_break() {
            return Err(Error::Cancelled { operation: "power iteration", iterations });
        }
        Ok(())
    }
}

/// Device memory of one iteration.
struct Work {
    norms: Buffer<f32>,
    sigmas: Buffer<f32>,
    squares: Buffer<f32>,
    forward: Tensor,
    left: Tensor,
    backward: Tensor,
}
