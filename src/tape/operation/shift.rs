//! `x + summand`; its slope is 1.

use super::{Accuracy, Accurate, Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Unary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// `x + summand` with a number as the summand, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn shift(&self, summand: f64) -> Result<Self> {
        self.through(Shift { summand })
    }
}

#[derive(Debug)]
struct Shift {
    summand: f64,
}

impl Operation for Shift {
    fn name(&self) -> &'static str {
        Unary::SHIFT.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        Ok(tangents[0].clone())
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Unary(Unary::SHIFT, self.summand as f32))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::unary(recorder, Unary::SHIFT, self.summand as f32, inputs[0].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Function(Accurate::rounded(reference::unary::shift, self.summand, 1.0)))
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::unary::unary(reference::unary::shift, self.summand, inputs[0].data)
    }
}
