//! A step on the device: its two halves, or several steps whole.

use std::ops::Range;

use super::run::Run;
use super::steps::{BREAKDOWN, breakdown};
use crate::Result;
use crate::device::Recorder;
use crate::operator::LinearOperator;
use crate::ops::{self, Bidiagonalise, Multiples, Rows, Steps};

impl<O: LinearOperator + ?Sized> Run<'_, O> {
    /// The number of first steps of a cycle that are taken whole, several in one dispatch.
    ///
    /// Those whose vectors the first piece of the basis holds, so that the number does not depend on the pace.
    pub(super) fn whole_steps(&self) -> usize {
        match self.oriented.operator.as_matrix() {
            Some(matrix) if ops::bidiagonalises(matrix) => self.basis.slots_per_piece() - 1,
            _ => 0,
        }
    }

    /// Records steps in one dispatch.
    pub(super) fn record_whole(&mut self, recorder: &mut Recorder, steps: Range<usize>) -> Result<()> {
        let (Some(matrix), Some(basis)) = (self.oriented.operator.as_matrix(), self.basis.first_piece()?) else {
            return Ok(());
        };
        let memory = Bidiagonalise {
            columns: self.columns,
            transposed: self.oriented.transposed,
            factors: &self.memory.factors,
            active: &self.memory.active,
            states: &self.memory.states,
            values: &self.values,
            basis,
            other: self.other.buffer(),
        };
        let chooses_range = steps.start == 0 && self.cycle.is_first;
        let steps = Steps { first: steps.start, count: steps.len(), chooses_range, breakdown: BREAKDOWN };
        ops::bidiagonalise(recorder, matrix, &memory, steps)
    }

    /// Records alpha u = A v - beta u, with the latest u before and after it in `other`.
    pub(super) fn record_forward(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let (vectors, long) = (self.chains.len(), self.oriented.long);
        let current = self.basis.slot(step)?;
        let forward = self.product_long.clone();
        let mask = self.memory.active.clone();
        let place = 2 * step * vectors;
        let measures_range = step == 0 && self.cycle.is_first;
        recorder.masked(&mask, |recorder| {
            self.oriented.forward(recorder, &mask, &current, &forward)?;
            if measures_range {
                self.memory.measure_range(recorder, long, forward.buffer())?;
            }
            let factors = &self.memory.factors;
            if step > 0 {
                let beta = Multiples { sign: -1.0, values: &self.values, first: place - vectors };
                let rows = Rows { vectors, length: long };
                ops::axpby(recorder, rows, beta, self.other.buffer(), factors, forward.buffer())?;
            }
            let measured = (forward.buffer(), long, step == 0);
            let counted = (2 * step, breakdown(step));
            self.memory.normalise(recorder, measured, (&self.values, place), counted, self.other.buffer())
        })
    }

    /// Records beta v = Aᵀ u - alpha v, orthogonal to the whole basis, with the new v in the next slot.
    pub(super) fn record_backward(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let (vectors, short) = (self.chains.len(), self.oriented.short);
        let (current, next) = (self.basis.slot(step)?, self.basis.slot(step + 1)?);
        let backward = self.product_short.clone();
        let mask = self.memory.active.clone();
        let place = 2 * step * vectors;
        recorder.masked(&mask, |recorder| {
            let factors = &self.memory.factors;
            self.oriented.backward(recorder, &mask, &self.other, &backward)?;
            let alpha = Multiples { sign: -1.0, values: &self.values, first: place };
            let rows = Rows { vectors, length: short };
            ops::axpby(recorder, rows, alpha, current.buffer(), factors, backward.buffer())?;
            // Twice is enough (Kahan and Parlett): where beta is small next to alpha, one pass leaves rounding errors
            // as large as the remainder, and a basis that is not orthogonal lets the recurrence grow without bound.
            self.basis.orthogonalise_once(recorder, step + 1, backward.buffer())?;
            self.basis.orthogonalise_once(recorder, step + 1, backward.buffer())?;
            let measured = (backward.buffer(), short, false);
            let counted = (2 * step + 1, breakdown(step));
            self.memory.normalise(recorder, measured, (&self.values, place + vectors), counted, next.buffer())
        })
    }
}
