//! Functions of each element, whose rule is a slope.

use std::fmt::Debug;

use super::{Accuracy, Accurate, Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Unary;
use crate::tensor::Tensor;
use crate::{Result, ops};

/// A function of one number, and the slope that its tangents are multiplied by.
pub(super) trait Pointwise: Debug + Send + Sync {
    /// The function on the device.
    fn function(&self) -> &'static Unary;

    /// The parameter of the function, beside its argument.
    fn parameter(&self) -> f64 {
        0.0
    }

    /// The function on the host.
    fn at(&self, x: f64) -> f64;

    /// The function on the host with bounds of its slope and its error; `None` where these are not known.
    fn accurate(&self) -> Option<Accurate> {
        None
    }

    /// The derivative at `input`, where the function is `output`; `None` where it is zero everywhere.
    fn slope(&self, input: &Value, output: &Value) -> Result<Option<Value>>;
}

impl<P: Pointwise> Operation for P {
    fn name(&self) -> &'static str {
        self.function().name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let Some(tangent) = &tangents[0] else { return Ok(None) };
        let slope = self.slope(&primal.inputs[0], &primal.output)?;
        slope.map(|slope| tangent.multiply(&slope)).transpose()
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Unary(self.function(), self.parameter() as f32))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::unary(recorder, self.function(), self.parameter() as f32, inputs[0].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        self.accurate().map(Accuracy::Function)
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        inputs[0].data.iter().map(|x| self.at(*x)).collect()
    }
}
