//! `factor x`.

use super::{Accuracy, Accurate, Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Unary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// `factor x` with a number as the factor, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn scale(&self, factor: f64) -> Result<Self> {
        self.through(Scale { factor })
    }
}

#[derive(Debug)]
struct Scale {
    factor: f64,
}

impl Operation for Scale {
    fn name(&self) -> &'static str {
        Unary::SCALE.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| tangent.scale(self.factor)).transpose()
    }

    fn transpose(&self, _argument: usize, _primal: &Primal, cotangent: &Value) -> Result<Value> {
        cotangent.scale(self.factor)
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Unary(Unary::SCALE, self.factor as f32))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::unary(recorder, Unary::SCALE, self.factor as f32, inputs[0].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Function(Accurate::rounded(reference::unary::scale, self.factor, self.factor.abs())))
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::unary::unary(reference::unary::scale, self.factor, inputs[0].data)
    }
}
