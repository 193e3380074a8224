//! A value that counts as fixed: the identity, whose derivative is zero.

use super::{Array, Operation, Primal, Value, same_shape};
use crate::Result;
use crate::device::{Buffer, Recorder};
use crate::tensor::Tensor;

impl Value {
    /// The same elements, fixed for every derivative, forward and reverse; no copy.
    ///
    /// [`crate::tape::Tape::transpose`] takes this operation for the identity.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn stop_gradient(&self) -> Result<Self> {
        self.through(StopGradient)
    }
}

#[derive(Debug)]
struct StopGradient;

impl Operation for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        same_shape(inputs)
    }

    fn is_view(&self) -> bool {
        true
    }

    fn jvp(&self, _primal: &Primal, _tangents: &[Option<Value>]) -> Result<Option<Value>> {
        Ok(None)
    }

    fn transpose(&self, _argument: usize, _primal: &Primal, cotangent: &Value) -> Result<Value> {
        Ok(cotangent.clone())
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        recorder.copy(inputs[0].buffer(), output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        inputs[0].data.to_vec()
    }
}
