//! A step on the device, or several steps whole.

use std::ops::Range;

use super::run::Run;
use super::steps::{BREAKDOWN, breakdown};
use crate::Result;
use crate::device::Recorder;
use crate::operator::{Both, LinearOperator, Shift};
use crate::ops::{self, Bidiagonalise, Multiples, Rows, Steps};
use crate::tensor::Tensor;

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

    /// Records steps in one dispatch, of which the last leaves u where the next step looks for it.
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
            other: self.products_long[(steps.start + 1) % 2].buffer(),
            shifts: &self.shifts,
        };
        let chooses_range = steps.start == 0 && self.cycle.is_first;
        let count = steps.len();
        let steps = Steps { first: steps.start, count, chooses_range, breakdown: BREAKDOWN };
        ops::bidiagonalise(recorder, matrix, &memory, steps)?;
        if !count.is_multiple_of(2) {
            self.products_long.swap(0, 1);
        }
        Ok(())
    }

    /// Records alpha u = A v - beta u and beta v = Aᵀ u - alpha v, the latter orthogonal to the whole basis, with the
    /// new v in the next slot.
    ///
    /// The product back is that of alpha u, so that both products can be of one read; alpha is known after it.
    pub(super) fn record_step(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let (vectors, short) = (self.chains.len(), self.oriented.short);
        let (current, next) = (self.basis.slot(step)?, self.basis.slot(step + 1)?);
        let (backward, mask) = (self.product_short.clone(), self.memory.active.clone());
        let norms = (&self.values, 2 * step * vectors);
        recorder.masked(&mask, |recorder| {
            let both = self.record_products(recorder, step, &current)?;
            both.remainder(recorder, current.buffer(), norms, backward.buffer())?;
            // Twice is enough (Kahan and Parlett): where beta is small next to alpha, one pass leaves rounding errors
            // as large as the remainder, and a basis that is not orthogonal lets the recurrence grow without bound.
            self.basis.orthogonalise_once(recorder, step + 1, backward.buffer())?;
            self.basis.orthogonalise_once(recorder, step + 1, backward.buffer())?;
            let counted = ((step, breakdown(step)), &self.shifts);
            self.memory.end_step(recorder, (backward.buffer(), short), norms, counted, next.buffer())
        })
    }

    /// Records alpha u = A v - beta u, with the factors of the range, and the product back.
    fn record_products(&self, recorder: &mut Recorder, step: usize, current: &Tensor) -> Result<Both> {
        let (mask, factors) = (&self.memory.active, &self.memory.factors);
        let (product, before) = (&self.products_long[step % 2], &self.products_long[(step + 1) % 2]);
        if step == 0 && self.cycle.is_first {
            let rows = Rows { vectors: self.chains.len(), length: self.oriented.long };
            self.oriented.forward(recorder, mask, current, before)?;
            self.memory.measure_range(recorder, rows.length, before.buffer())?;
            ops::scale(recorder, rows, factors, before.buffer(), product.buffer())?;
            return self.oriented.sums_of(recorder, mask, product, factors);
        }
        let multiples = Multiples { sign: -1.0, values: &self.shifts, first: 0 };
        let shift = Shift { scale: factors, multiples, vectors: before.buffer() };
        self.oriented.both(recorder, mask, current, shift, product)
    }
}
