//! The two halves of a step on the device.

use super::run::Run;
use super::steps::breakdown;
use crate::Result;
use crate::device::Recorder;
use crate::operator::LinearOperator;
use crate::ops::{self, Multiples, Rows};

impl<O: LinearOperator + ?Sized> Run<'_, O> {
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
