//! The number of the largest element of each window: a jump, whose derivative is zero.

use std::sync::Arc;

use super::{Array, Operation, Primal, Value};
use crate::device::{Buffer, Recorder};
use crate::tensor::{SlidingSizes, Tensor};
use crate::{Result, ops, reference};

impl Value {
    /// The number of the largest element of each window: the first of equals, NaN where an element is.
    ///
    /// *Shapes*  this: the image of `sizes` · result: their response
    pub(super) fn pool_choice(&self, sizes: SlidingSizes) -> Result<Self> {
        self.tape().compute(Arc::new(PoolChoice { sizes }), &[self])
    }
}

#[derive(Debug)]
struct PoolChoice {
    sizes: SlidingSizes,
}

impl Operation for PoolChoice {
    fn name(&self) -> &'static str {
        "pool_choice"
    }

    fn shape(&self, _inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(self.sizes.response_shape().to_vec())
    }

    fn keeps_samples(&self, batch: usize, _inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.sizes.batch.is_multiple_of(batch)
    }

    fn jvp(&self, _primal: &Primal, _tangents: &[Option<Value>]) -> Result<Option<Value>> {
        Ok(None)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::pool_choice(recorder, &self.sizes, inputs[0].buffer(), output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::pool_choice(&self.sizes, inputs[0].data)
    }
}
