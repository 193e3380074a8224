//! The same elements under another shape.

use super::{Array, Operation, Primal, Value};
use crate::device::{Buffer, Recorder};
use crate::tensor::{Tensor, elements, volume};
use crate::{Error, Result};

impl Value {
    /// The same elements, in row-major order, under another shape; no copy.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shape does not hold as many elements.
    pub fn reshape(&self, shape: &[usize]) -> Result<Self> {
        self.through(Reshape { shape: shape.to_vec() })
    }
}

#[derive(Debug)]
struct Reshape {
    shape: Vec<usize>,
}

impl Operation for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        if elements(self.name(), &self.shape)? == volume(inputs[0]) {
            return Ok(self.shape.clone());
        }
        Err(Error::ShapeMismatch {
            operation: self.name(),
            expected: format!("a shape of as many elements as {:?}", inputs[0]),
            found: format!("{:?}", self.shape),
        })
    }

    fn is_view(&self) -> bool {
        true
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| tangent.reshape(&self.shape)).transpose()
    }

    fn transpose(&self, _argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        cotangent.reshape(primal.inputs[0].shape())
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        recorder.copy(inputs[0].buffer(), output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        inputs[0].data.to_vec()
    }
}
