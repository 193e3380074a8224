//! `left right`.

use super::{Accuracy, Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Binary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// `left right`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] when the shapes neither agree nor repeat to one shape.
    pub fn multiply(&self, right: &Self) -> Result<Self> {
        self.with(Multiply, right)
    }
}

#[derive(Debug)]
struct Multiply;

impl Operation for Multiply {
    fn name(&self) -> &'static str {
        Binary::MULTIPLY.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let terms = [0, 1].map(|argument| {
            let moved = tangents[argument].as_ref();
            moved.map(|tangent| tangent.multiply(&primal.inputs[1 - argument])).transpose()
        });
        let [left, right] = terms;
        super::sum_of(&[left?, right?])
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        cotangent.multiply(&primal.inputs[1 - argument])
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Binary(Binary::MULTIPLY))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::binary(recorder, Binary::MULTIPLY, inputs[0].buffer(), inputs[1].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Products { terms: 1 })
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::binary::binary(reference::binary::multiply, inputs[0].data, inputs[1].data)
    }
}
