//! Products of the derivative of g with many directions of each item at once.

use super::super::batched::batched;
use super::super::{Layer, Scope};
use crate::tape::{Tape, Value};
use crate::tensor::volume;
use crate::{Error, Result};

/// g at copies of each item, with a direction for each copy.
///
/// J is the derivative of g at an item. Directions, and their products, are count × batch × size.
#[derive(Debug)]
pub(super) struct Copies {
    pub(super) count: usize,
    pub(super) batch: usize,
    /// The number of elements of an item.
    pub(super) size: usize,
    points: Value,
    images: Value,
}

impl Copies {
    /// `count` copies of the items of `input`, a batch or a single vector.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] where g changes the shape; as [`Layer::apply`].
    pub(super) fn of(inner: &dyn Layer, scope: &Scope, path: &str, input: &Value, count: usize) -> Result<Self> {
        let input = batched(input)?;
        let (batch, item) = (input.shape()[0], &input.shape()[1..]);
        let points = input.repeated(count)?.reshape(&[&[count * batch], item].concat())?;
        let images = inner.apply(scope, path, &points)?;
        expect_kept(&points, &images)?;
        Ok(Self { count, batch, size: volume(item), points, images })
    }

    pub(super) fn tape(&self) -> &Tape {
        self.points.tape()
    }

    /// J v for each direction v.
    pub(super) fn products(&self, directions: &Value) -> Result<Value> {
        let directions = directions.reshape(self.points.shape())?;
        let along = self.tape().jvp(&[&self.images], &[&self.points], &[&directions])?.swap_remove(0);
        along.reshape(&[self.count, self.batch, self.size])
    }
}

/// Refuses a g whose output has another shape than its input.
pub(super) fn expect_kept(input: &Value, output: &Value) -> Result<()> {
    if output.shape() == input.shape() {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation: "invertible residual",
        expected: format!("a layer that keeps the shape {:?}", input.shape()),
        found: format!("{:?}", output.shape()),
    })
}
