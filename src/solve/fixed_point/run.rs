//! The iteration on the device: evaluations, differences and steps of a whole batch.

use std::ops::Range;

use super::course::{Course, Move, Products, Seen};
use super::map::{FixedPoint, OPERATION};
use super::rule::Rule;
use crate::Result;
use crate::device::{Buffer, ReadBack, Recorder};
use crate::iterate::{Basis, Coefficients, Iteration, Pace, Progress};
use crate::ops::{self, Multiples, Rows};
use crate::tensor::Tensor;

/// An iterate and its residual f(x) - x.
struct Pair {
    x: Tensor,
    residual: Tensor,
}

/// A run of one map.
pub(super) struct Run<'a> {
    map: &'a FixedPoint,
    rule: Rule,
    rows: Rows,
    now: Pair,
    before: Pair,
    best: Pair,
    output: Tensor,
    /// The differences of residuals, and then those of iterates.
    basis: Basis,
    /// The products of the residual differences with the newest one, and with the residual.
    products: Option<[Coefficients; 2]>,
    squares: [Buffer<f32>; 2],
    ones: Buffer<f32>,
    zeros: Buffer<f32>,
    /// The masks of items that go on, that improved, and that go back.
    masks: [Buffer<u32>; 3],
    has_improved: bool,
    moves: Vec<Move>,
    pub(super) courses: Vec<Course>,
}

/// The read-backs of one evaluation.
pub(super) struct Reading {
    squares: [ReadBack<f32>; 2],
    products: Option<[ReadBack<f32>; 2]>,
}

impl<'a> Run<'a> {
    pub(super) fn new(map: &'a FixedPoint, rule: Rule, start: &Tensor) -> Result<Self> {
        let (device, rows) = (&map.device, map.rows());
        let tensor = || Tensor::zeros(device, &map.shape);
        let pair = || Ok::<_, crate::Error>(Pair { x: tensor()?, residual: tensor()? });
        let mut basis = Basis::in_pieces(device, rows.vectors, rows.length, 2 * rule.differences);
        if rule.differences > 0 {
            basis.slot(2 * rule.differences - 1)?;
        }
        let segments = ops::Segments::for_group(device, rows.length).count;
        let squares = || Buffer::zeros(device, OPERATION, segments * rows.vectors);
        let mask = |value: u32| Buffer::from_slice(device, OPERATION, &vec![value; rows.vectors]);
        let run = Self {
            map,
            rule,
            rows,
            now: pair()?,
            before: pair()?,
            best: pair()?,
            output: tensor()?,
            basis,
            products: None,
            squares: [squares()?, squares()?],
            ones: Buffer::from_slice(device, OPERATION, &vec![1.0; rows.vectors])?,
            zeros: Buffer::zeros(device, OPERATION, rows.vectors)?,
            masks: [mask(1)?, mask(0)?, mask(0)?],
            has_improved: false,
            moves: Vec::new(),
            courses: vec![Course::new(rule.differences); rows.vectors],
        };
        let mut recorder = device.recorder();
        recorder.copy(start.buffer(), run.now.x.buffer())?;
        recorder.copy(start.buffer(), run.best.x.buffer())?;
        recorder.submit()?;
        Ok(run)
    }

    /// The best iterate of each item.
    pub(super) fn finish(self) -> Result<(Tensor, Vec<Course>)> {
        let mut recorder = self.map.device.recorder();
        self.keep(&mut recorder)?;
        recorder.submit()?;
        Ok((self.best.x, self.courses))
    }

    /// Records copies of the iterates that improved.
    fn keep(&self, recorder: &mut Recorder) -> Result<()> {
        if !self.has_improved {
            return Ok(());
        }
        recorder.masked(&self.masks[1], |recorder| self.copy(recorder, &self.now, &self.best))
    }

    fn copy(&self, recorder: &mut Recorder, from: &Pair, to: &Pair) -> Result<()> {
        ops::scale(recorder, self.rows, &self.ones, from.x.buffer(), to.x.buffer())?;
        ops::scale(recorder, self.rows, &self.ones, from.residual.buffer(), to.residual.buffer())
    }

    /// Records the step that follows the evaluation before `step`.
    fn advance(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        self.keep(recorder)?;
        if self.moves.contains(&Move::Back) {
            let spoiled = if step > 1 { self.slots(step - 1)? } else { None };
            recorder.masked(&self.masks[2], |recorder| {
                // A slot with NaN would spoil every combination, even with the coefficient 0.
                for slot in spoiled.iter().flatten() {
                    ops::scale(recorder, self.rows, &self.zeros, self.best.x.buffer(), slot.buffer())?;
                }
                self.copy(recorder, &self.best, &self.now)
            })?;
        }
        let coefficients: Vec<Vec<f64>> = self.moves.iter().map(|step| self.coefficients(step)).collect();
        let x = self.now.x.buffer();
        recorder.masked(&self.masks[0], |recorder| {
            if self.rule.differences > 0 {
                self.copy(recorder, &self.now, &self.before)?;
            }
            self.add(recorder, self.rule.mixing as f32, &self.now.residual, x)?;
            self.basis.combine(recorder, &coefficients, x)
        })
    }

    /// The coefficients of all slots in a step; none for a plain step.
    fn coefficients(&self, step: &Move) -> Vec<f64> {
        let Move::On(found) = step else { return Vec::new() };
        let of_residuals = found.iter().map(|coefficient| -self.rule.mixing * coefficient);
        of_residuals.chain(found.iter().map(|coefficient| -coefficient)).collect()
    }

    /// Records output = output + factor · input.
    fn add(&self, recorder: &mut Recorder, factor: f32, input: &Tensor, output: &Buffer<f32>) -> Result<()> {
        let times = Multiples { sign: factor, values: &self.ones, first: 0 };
        ops::axpby(recorder, self.rows, times, input.buffer(), &self.ones, output)
    }

    /// The slots of the differences that the evaluation of a step makes, of residuals and of iterates.
    fn slots(&mut self, step: usize) -> Result<Option<[Tensor; 2]>> {
        let differences = self.rule.differences;
        if differences == 0 {
            return Ok(None);
        }
        let slot = (step - 1) % differences;
        Ok(Some([self.basis.slot(slot)?, self.basis.slot(differences + slot)?]))
    }

    /// Records the differences from the evaluation before, and their products.
    fn compare(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let Some([of_residual, of_x]) = self.slots(step)? else { return Ok(()) };
        recorder.masked(&self.masks[0], |recorder| {
            for (now, before, slot) in
                [(&self.now.residual, &self.before.residual, &of_residual), (&self.now.x, &self.before.x, &of_x)]
            {
                ops::scale(recorder, self.rows, &self.ones, now.buffer(), slot.buffer())?;
                self.add(recorder, -1.0, before, slot.buffer())?;
            }
            Ok(())
        })?;
        let product =
            |recorder: &mut Recorder, with: &Tensor| self.basis.project(recorder, self.rule.differences, with.buffer());
        self.products = Some([product(recorder, &of_residual)?, product(recorder, &self.now.residual)?]);
        Ok(())
    }
}

impl Iteration for Run<'_> {
    type Reading = Reading;

    fn is_done(&self) -> bool {
        self.courses.iter().all(|course| course.status.is_some())
    }

    fn pace(&self, _recorded: usize) -> Pace {
        Pace { steps: 1, steps_per_submit: 1, look_ahead: false }
    }

    fn record(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        if step > 0 {
            self.advance(recorder, step)?;
        }
        let Self { now, output, .. } = self;
        self.map.program().record(recorder, &[&now.x], &[&*output, &now.residual])?;
        for (vectors, squares) in [&self.now.residual, &self.output].into_iter().zip(&self.squares) {
            ops::sum_squares(recorder, self.rows, vectors.buffer(), &self.ones, squares)?;
        }
        if step > 0 { self.compare(recorder, step) } else { Ok(()) }
    }

    fn read(&mut self, recorder: &mut Recorder, _steps: Range<usize>) -> Result<Reading> {
        let [residual, size] = &self.squares;
        let squares = [recorder.read(residual)?, recorder.read(size)?];
        let products = match &self.products {
            Some([newest, residual]) => Some([newest.read(recorder)?, residual.read(recorder)?]),
            None => None,
        };
        Ok(Reading { squares, products })
    }

    async fn take(&mut self, steps: Range<usize>, reading: Reading) -> Result<()> {
        let [residual, size] = reading.squares;
        let (residual, size) = (residual.contents().await?, size.contents().await?);
        let products = match (&self.products, reading.products) {
            (Some([newest, along]), Some([of_newest, of_residual])) => {
                Some((newest.rows(&of_newest.contents().await?), along.rows(&of_residual.contents().await?)))
            }
            _ => None,
        };
        let norm = |parts: &[f32], item: usize| -> f64 {
            parts.iter().skip(item).step_by(self.rows.vectors).map(|part| f64::from(*part)).sum::<f64>().sqrt()
        };
        let slot = steps.start.saturating_sub(1) % self.rule.differences.max(1);
        let (mut improved, mut moves) = (vec![0; self.rows.vectors], Vec::with_capacity(self.rows.vectors));
        for (item, course) in self.courses.iter_mut().enumerate() {
            if course.status.is_some() {
                moves.push(Move::Stay);
                continue;
            }
            let products = products.as_ref().map(|(newest, along)| Products {
                slot,
                of_newest: &newest[item],
                of_residual: &along[item],
            });
            let seen = Seen { residual: norm(&residual, item), size: norm(&size, item), products };
            moves.push(course.judge(&seen, &self.rule));
            improved[item] = u32::from(course.is_best());
        }
        let mask = |of: &dyn Fn(&Move) -> bool| moves.iter().map(|step| u32::from(of(step))).collect::<Vec<_>>();
        let (active, back) = (mask(&|step| *step != Move::Stay), mask(&|step| *step == Move::Back));
        for (buffer, mask) in self.masks.iter().zip([&active, &improved, &back]) {
            buffer.write(&self.map.device, OPERATION, 0, mask)?;
        }
        (self.has_improved, self.moves) = (improved.contains(&1), moves);
        Ok(())
    }

    fn progress(&self) -> Progress {
        let done = self.courses.iter().filter(|course| course.status.is_some()).count();
        let iterations = self.courses.iter().map(|course| course.history.len()).max().unwrap_or(0);
        Progress { iterations, ..Progress::new(self.rule.method, "evaluations", done, self.courses.len()) }
    }
}
