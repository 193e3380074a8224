//! Values: their shapes, and operations applied to them.

use std::sync::Arc;

use super::graph::{Operation, Tape, Value};
use crate::tensor::volume;
use crate::{Error, Result};

impl Value {
    /// The size along each dimension.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The graph that the value is part of.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    pub(crate) fn node(&self) -> usize {
        self.node
    }

    /// The value of an operation on this value alone.
    pub(crate) fn through(&self, operation: impl Operation + 'static) -> Result<Self> {
        self.tape.compute(Arc::new(operation), &[self])
    }

    /// The value of an operation on this value and `right`, both repeated to a common shape.
    pub(super) fn with(&self, operation: impl Operation + 'static, right: &Self) -> Result<Self> {
        let shape = common(operation.name(), self.shape(), right.shape())?;
        let (left, right) = (self.broadcast_to(&shape)?, right.broadcast_to(&shape)?);
        self.tape.compute(Arc::new(operation), &[&left, &right])
    }

    /// The value repeated along a new axis in front.
    pub(crate) fn repeated(&self, count: usize) -> Result<Self> {
        let (size, shape) = (volume(&self.shape), [&[count], &*self.shape].concat());
        self.reshape(&[1, size])?.broadcast_to(&[count, size])?.reshape(&shape)
    }
}

/// The common shape that two shapes can be repeated to.
fn common(operation: &'static str, left: &[usize], right: &[usize]) -> Result<Vec<usize>> {
    let rank = left.len().max(right.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let sizes = (0..rank).map(|axis| match (size(left, axis), size(right, axis)) {
        (1, size) | (size, 1) => Some(size),
        (left, right) => (left == right).then_some(left),
    });
    sizes.collect::<Option<_>>().ok_or_else(|| Error::ShapeMismatch {
        operation,
        expected: format!("a right side that fits {left:?}, or repeats to it"),
        found: format!("{right:?}"),
    })
}
