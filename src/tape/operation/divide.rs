//! `left / right`.

use super::{Accuracy, Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Binary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// `left / right`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] when the shapes neither agree nor repeat to one shape.
    pub fn divide(&self, right: &Self) -> Result<Self> {
        self.with(Divide, right)
    }
}

#[derive(Debug)]
struct Divide;

impl Operation for Divide {
    fn name(&self) -> &'static str {
        Binary::DIVIDE.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let divisor = &primal.inputs[1];
        let left = tangents[0].as_ref().map(|tangent| tangent.divide(divisor)).transpose()?;
        let slope = |tangent: &Value| primal.output.divide(divisor)?.negate()?.multiply(tangent);
        let right = tangents[1].as_ref().map(slope).transpose()?;
        super::sum_of(&[left, right])
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        if argument == 1 {
            return Err(crate::Error::NotLinear { operation: self.name() });
        }
        cotangent.divide(&primal.inputs[1])
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Binary(Binary::DIVIDE))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::binary(recorder, Binary::DIVIDE, inputs[0].buffer(), inputs[1].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Quotient)
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::binary::binary(reference::binary::divide, inputs[0].data, inputs[1].data)
    }
}
