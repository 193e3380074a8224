//! The chosen element of each window, and the transpose, which adds each picked element at its place.

use std::sync::Arc;

use super::{Array, Operation, Primal, Value};
use crate::device::{Buffer, Recorder};
use crate::tensor::{SlidingSizes, Tensor};
use crate::{Error, Result, ops, reference};

impl Value {
    /// The element of each window that `choice` names, a [`Value::pool_choice`].
    ///
    /// *Shapes*  this: the image of `sizes` · `choice`, result: their response
    pub(super) fn pool_pick(&self, choice: &Self, sizes: SlidingSizes) -> Result<Self> {
        self.tape().compute(Arc::new(PoolPick { sizes, is_back: false }), &[self, choice])
    }
}

#[derive(Debug)]
struct PoolPick {
    /// Whether this is the transpose.
    sizes: SlidingSizes,
    is_back: bool,
}

impl PoolPick {
    fn of(&self, value: &Value, choice: &Value, is_back: bool) -> Result<Value> {
        value.tape().compute(Arc::new(Self { sizes: self.sizes, is_back }), &[value, choice])
    }
}

impl Operation for PoolPick {
    fn name(&self) -> &'static str {
        if self.is_back { "pool_unpick" } else { "pool_pick" }
    }

    fn shape(&self, _inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let shape = if self.is_back { self.sizes.image_shape() } else { self.sizes.response_shape() };
        Ok(shape.to_vec())
    }

    fn keeps_samples(&self, batch: usize, _inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.sizes.batch.is_multiple_of(batch)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| self.of(tangent, &primal.inputs[1], self.is_back)).transpose()
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        if argument != 0 {
            return Err(Error::NotLinear { operation: self.name() });
        }
        self.of(cotangent, &primal.inputs[1], !self.is_back)
    }

    fn stacked(&self, columns: usize, inputs: &[Value], varies: &[bool]) -> Result<Option<Value>> {
        let sizes = SlidingSizes { batch: columns * self.sizes.batch, ..self.sizes };
        let whole = super::repeated_where_fixed(columns, inputs, varies)?;
        let (image, response) = (sizes.image_shape(), sizes.response_shape());
        let values = whole[0].reshape(if self.is_back { &response } else { &image })?;
        let choice = whole[1].reshape(&response)?;
        let picked = Self { sizes, is_back: self.is_back };
        let picked = values.tape().compute(Arc::new(picked), &[&values, &choice])?;
        let shape = if self.is_back { self.sizes.image_shape() } else { self.sizes.response_shape() };
        picked.reshape(&[&[columns], &shape[..]].concat()).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let record = if self.is_back { ops::pool_unpick } else { ops::pool_pick };
        record(recorder, &self.sizes, inputs[0].buffer(), inputs[1].buffer(), output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let twin = if self.is_back { reference::pool_unpick } else { reference::pool_pick };
        twin(&self.sizes, inputs[0].data, inputs[1].data)
    }
}
