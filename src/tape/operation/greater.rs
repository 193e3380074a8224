//! 1 where a value is larger than another, else 0; a jump, whose derivative is zero.

use super::{Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Binary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// 1 where this is larger than `right`, else 0, element by element; NaN where one of them is.
    pub(super) fn greater(&self, right: &Self) -> Result<Self> {
        self.with(Greater, right)
    }
}

#[derive(Debug)]
struct Greater;

impl Operation for Greater {
    fn name(&self) -> &'static str {
        Binary::GREATER.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, _primal: &Primal, _tangents: &[Option<Value>]) -> Result<Option<Value>> {
        Ok(None)
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Binary(Binary::GREATER))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::binary(recorder, Binary::GREATER, inputs[0].buffer(), inputs[1].buffer(), output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::binary::binary(reference::binary::greater, inputs[0].data, inputs[1].data)
    }
}
