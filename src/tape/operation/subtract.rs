//! `left - right`.

use super::{Accuracy, Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Binary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// `left - right`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] when the shapes neither agree nor repeat to one shape.
    pub fn subtract(&self, right: &Self) -> Result<Self> {
        self.with(Subtract, right)
    }
}

#[derive(Debug)]
struct Subtract;

impl Operation for Subtract {
    fn name(&self) -> &'static str {
        Binary::SUBTRACT.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        match tangents {
            [Some(left), Some(right)] => left.subtract(right).map(Some),
            [Some(left), None] => Ok(Some(left.clone())),
            [None, Some(right)] => right.negate().map(Some),
            _ => Ok(None),
        }
    }

    fn transpose(&self, argument: usize, _primal: &Primal, cotangent: &Value) -> Result<Value> {
        if argument == 0 { Ok(cotangent.clone()) } else { cotangent.negate() }
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Binary(Binary::SUBTRACT))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::binary(recorder, Binary::SUBTRACT, inputs[0].buffer(), inputs[1].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Sum)
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::binary::binary(reference::binary::subtract, inputs[0].data, inputs[1].data)
    }
}
