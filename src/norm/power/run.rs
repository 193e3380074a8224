//! One run over all batch items: a step on the device, and its readings.

use std::ops::Range;

use super::super::finish::Found;
use super::options::{Power, PowerForm, Start};
use crate::Result;
use crate::bound::unit;
use crate::device::{Buffer, Device, ReadBack, Recorder};
use crate::iterate::{Control, Iteration, Memory, Pace, Progress, Status, random_unit};
use crate::operator::{LinearOperator, Oriented};
use crate::ops::{self, PowerCheck, PowerReport, Rows, Segmented, StopKind};
use crate::tensor::Tensor;
use crate::tensor::screen::scale_by_power;

/// The residual, relative to sigma, that is about the least that `f32` reaches.
const FLOOR: f32 = 16.0 / 8_388_608.0;

/// The number of iterations near the floor without a smaller residual after which the residual counts as stuck.
const PATIENCE: u32 = 64;

/// One batch item, as the host sees it.
#[derive(Clone, Debug, Default)]
struct Element {
    done: Option<Status>,
    report: PowerReport,
    /// The smallest residual so far, relative to sigma, and its iteration.
    best: Option<(f32, u32)>,
}

pub(super) struct Run<'a, O: ?Sized> {
    options: &'a Power,
    oriented: &'a Oriented<'a, O>,
    memory: Memory,
    vectors: Tensor,
    elements: Vec<Element>,
    iterations: usize,
    /// e of each item, where the device divides products by 2^e; known after the first reading.
    exponents: Vec<i32>,
    reports: Buffer<PowerReport>,
    work: Work,
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

impl Work {
    fn new<O: LinearOperator + ?Sized>(oriented: &Oriented<'_, O>) -> Result<Self> {
        let (device, batch) = (oriented.operator.device(), oriented.operator.batch());
        Ok(Self {
            norms: Buffer::zeros(device, "power", 2 * batch)?,
            sigmas: Buffer::zeros(device, "power", batch)?,
            squares: Buffer::zeros(device, "power", batch * ops::Segments::for_group(device, oriented.short).count)?,
            forward: oriented.long_zeros(1)?,
            left: oriented.long_zeros(1)?,
            backward: oriented.short_zeros(1)?,
        })
    }
}

impl<'a, O: LinearOperator + ?Sized> Run<'a, O> {
    pub(super) fn new(options: &'a Power, oriented: &'a Oriented<'a, O>) -> Result<Self> {
        let device = oriented.operator.device();
        let open: Vec<bool> = oriented.settled().iter().map(Option::is_none).collect();
        let element = |open: &bool| Element { done: (!open).then_some(Status::Zero), ..Element::default() };
        Ok(Self {
            options,
            oriented,
            memory: Memory::new(device, &open)?,
            vectors: oriented.short_zeros(1)?,
            elements: open.iter().map(element).collect(),
            iterations: 0,
            exponents: Vec::new(),
            reports: Buffer::zeros(device, "power", open.len())?,
            work: Work::new(oriented)?,
        })
    }

    /// Whether any batch item has a norm to be found.
    pub(super) fn is_open(&self) -> bool {
        self.elements.iter().any(|element| element.done.is_none())
    }

    pub(super) fn vectors(&self) -> &Tensor {
        &self.vectors
    }

    pub(super) fn factors(&self) -> &Buffer<f32> {
        &self.memory.factors
    }

    pub(super) fn iterations(&self) -> usize {
        self.iterations
    }

    /// The results of all batch items.
    pub(super) fn found(&self) -> Vec<Option<Found>> {
        let found = |element: &Element| {
            let status = element.done.unwrap_or(Status::MaxIterations);
            Some(Found { iterations: element.report.iteration as usize, ..Found::of(status) })
        };
        self.elements.iter().map(found).collect()
    }

    /// Writes the start vectors.
    pub(super) async fn start(&self, control: &Control<'_>) -> Result<()> {
        let (batch, length) = (self.elements.len(), self.oriented.short);
        let (Start::Random { seed } | Start::Median { seed }) = self.options.start;
        let random = random_unit(seed, 0, length);
        let (device, buffer) = (self.device(), self.vectors.buffer());
        buffer.write(device, "start", 0, &random.repeat(batch))?;
        if let Start::Median { .. } = self.options.start {
            for item in 0..batch {
                let Some(medians) = self.oriented.operator.column_medians(item).await? else { continue };
                if medians.iter().any(|median| *median != 0.0) {
                    let blend = unit(&medians).into_iter().zip(&random);
                    let blend: Vec<f64> =
                        blend.map(|(median, random)| f64::from(median) + 1e-3 * f64::from(*random)).collect();
                    buffer.write(device, "start", item * length, &unit(&blend))?;
                }
            }
        }
        let Some(earlier) = control.start() else { return Ok(()) };
        earlier.expect(earlier.right, batch, length)?;
        let mut recorder = device.recorder();
        for (item, _) in earlier.usable.iter().enumerate().filter(|(_, usable)| **usable) {
            let range = item * length..(item + 1) * length;
            recorder.copy(&earlier.right.buffer().slice(range.clone()), &buffer.slice(range))?;
        }
        recorder.submit()
    }

    fn device(&self) -> &Device {
        self.oriented.operator.device()
    }

    async fn judge(&mut self, reports: &[PowerReport]) -> Result<()> {
        let end = self.iterations;
        let left_the_mask = |report: &PowerReport| report.converged == 0 && (report.iteration as usize) < end;
        let mut stops = None;
        for (index, report) in reports.iter().enumerate() {
            if self.elements[index].done.is_some() {
                continue;
            }
            if left_the_mask(report) && stops.is_none() {
                stops = Some(self.memory.stops().await?);
            }
            let element = &mut self.elements[index];
            element.report = *report;
            if report.converged != 0 {
                element.done = Some(Status::Converged);
                continue;
            }
            if left_the_mask(report) {
                let stop = stops.as_ref().map(|stops| stops[index]);
                element.done = Some(if stop == Some(StopKind::NonFinite) { Status::NonFinite } else { Status::Zero });
                continue;
            }
            let residual = report.residual / report.sigma;
            let best = element.best.get_or_insert((residual, report.iteration));
            if residual < 0.99 * best.0 {
                *best = (residual, report.iteration);
            } else if best.0 <= FLOOR && report.iteration >= best.1 + PATIENCE {
                element.done = Some(Status::Stagnated);
                self.memory.set_active(index, false)?;
            }
        }
        Ok(())
    }
}

impl<O: LinearOperator + ?Sized> Iteration for Run<'_, O> {
    type Reading = ReadBack<PowerReport>;

    fn is_done(&self) -> bool {
        !self.is_open()
    }

    /// The pace: short at first, so that easy matrices stop early, then long, and one block ahead of the reading.
    fn pace(&self, recorded: usize) -> Pace {
        let bytes = self.oriented.operator.bytes_per_product().saturating_mul(2).max(1);
        let affordable = (self.device().capabilities().profile.bytes_per_submit / bytes).clamp(1, 16) as usize;
        Pace { steps: recorded.clamp(2, 32), steps_per_submit: affordable, look_ahead: recorded >= 16 }
    }

    fn record(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let (batch, short, long) = (self.elements.len(), self.oriented.short, self.oriented.long);
        let (memory, work) = (&self.memory, &self.work);
        let mask = memory.active.clone();
        let gram = self.options.form == PowerForm::Gram;
        recorder.masked(&mask, |recorder| {
            self.oriented.forward(recorder, &mask, &self.vectors, &work.forward)?;
            if step == 0 {
                memory.measure_range(recorder, long, work.forward.buffer())?;
            }
            let counted = (step, 0.0);
            let norms = &work.norms;
            memory.normalise(recorder, (work.forward.buffer(), long, true), (norms, 0), counted, work.left.buffer())?;
            self.oriented.backward(recorder, &mask, &work.left, &work.backward)?;
            memory.measure(recorder, (work.backward.buffer(), short, true), (norms, batch), counted)?;
            let first = if gram { batch } else { 0 };
            recorder.copy(&norms.slice(first..first + batch), &work.sigmas)?;
            let (product, direction) = (work.backward.buffer(), self.vectors.buffer());
            let rows = Rows { vectors: batch, length: short };
            let (factors, squares) = (&memory.factors, &work.squares);
            let segments = ops::residual_squares(recorder, rows, product, direction, factors, &work.sigmas, squares)?;
            let check = PowerCheck {
                iteration: step + 1,
                gram,
                rtol: self.options.rtol as f32,
                atol: self.options.atol as f32,
            };
            let residuals = Segmented { buffer: squares, count: segments.count };
            ops::power_check(recorder, batch, &check, residuals, norms, &memory.active, &self.reports)?;
            ops::scale(recorder, rows, &memory.inverses, work.backward.buffer(), direction)
        })
    }

    fn read(&mut self, recorder: &mut Recorder, _: Range<usize>) -> Result<ReadBack<PowerReport>> {
        recorder.read(&self.reports)
    }

    async fn take(&mut self, steps: Range<usize>, reading: ReadBack<PowerReport>) -> Result<()> {
        let reports = reading.contents().await?;
        self.iterations = steps.end;
        if self.exponents.is_empty() {
            self.exponents = self.memory.exponents().await?;
        }
        self.judge(&reports).await
    }

    fn progress(&self) -> Progress {
        let total = self.elements.len();
        let open = self.elements.iter().position(|element| element.done.is_none());
        let index = open.unwrap_or(total.saturating_sub(1));
        let report = self.elements[index].report;
        let exponent = self.oriented.operator.exponent(index) + self.exponents.get(index).copied().unwrap_or(0);
        let done = self.elements.iter().filter(|element| element.done.is_some()).count();
        Progress {
            iterations: self.iterations,
            sigma: scale_by_power(f64::from(report.sigma), exponent),
            error: f64::from(report.residual / report.sigma),
            ..Progress::new("power iteration", "iterations", done, total)
        }
    }
}
