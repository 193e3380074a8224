//! A value where another is above 0, else 0: a choice that NaN of what is left out does not pass.

use super::{Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Binary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// This value where `right` is above 0, else 0, element by element; NaN in `right` is not above 0.
    pub(crate) fn pick(&self, right: &Self) -> Result<Self> {
        self.with(Pick, right)
    }
}

#[derive(Debug)]
struct Pick;

impl Operation for Pick {
    fn name(&self) -> &'static str {
        Binary::PICK.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| tangent.pick(&primal.inputs[1])).transpose()
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        match argument {
            0 => cotangent.pick(&primal.inputs[1]),
            _ => Err(crate::Error::NotLinear { operation: self.name() }),
        }
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Binary(Binary::PICK))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::binary(recorder, Binary::PICK, inputs[0].buffer(), inputs[1].buffer(), output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::binary::binary(reference::binary::pick, inputs[0].data, inputs[1].data)
    }
}
