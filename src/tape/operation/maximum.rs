//! The larger of two values; the derivative is that of the right value where they are equal.

use super::{Accuracy, Array, ByElement, Operation, Primal, Value, same_shape};
use crate::device::{Buffer, Recorder};
use crate::ops::Binary;
use crate::tensor::Tensor;
use crate::{Result, ops, reference};

impl Value {
    /// The larger of `self` and `right`, element by element; NaN, with its derivative, where either is.
    ///
    /// Where both are equal, the derivative is that of `right`.
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] when the shapes neither agree nor repeat to one shape.
    pub fn maximum(&self, right: &Self) -> Result<Self> {
        self.with(Maximum, right)
    }

    /// The smaller of `self` and `right`, element by element, as [`Value::maximum`].
    ///
    /// # Errors
    /// As [`Value::maximum`].
    pub fn minimum(&self, right: &Self) -> Result<Self> {
        self.negate()?.maximum(&right.negate()?)?.negate()
    }
}

#[derive(Debug)]
struct Maximum;

impl Operation for Maximum {
    fn name(&self) -> &'static str {
        Binary::MAXIMUM.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let is_left = primal.inputs[0].greater(&primal.inputs[1])?;
        let left = tangents[0].as_ref().map(|tangent| tangent.multiply(&is_left)).transpose()?;
        let is_right = || is_left.negate()?.shift(1.0);
        let right = tangents[1].as_ref().map(|tangent| tangent.multiply(&is_right()?)).transpose()?;
        super::sum_of(&[left, right])
    }

    fn transpose(&self, _argument: usize, _primal: &Primal, _cotangent: &Value) -> Result<Value> {
        Err(crate::Error::NotLinear { operation: self.name() })
    }

    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        Some(ByElement::Binary(Binary::MAXIMUM))
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::binary(recorder, Binary::MAXIMUM, inputs[0].buffer(), inputs[1].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Larger)
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::binary::binary(reference::binary::maximum, inputs[0].data, inputs[1].data)
    }
}
