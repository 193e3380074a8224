//! A value of the graph: what operations are called on.

use std::sync::Arc;

use super::graph::Tape;
use super::operation::Operation;
use crate::{Error, Result};

/// A tensor that a program will hold: a node of a [`Tape`] and its shape. Clones are the same value.
///
/// Operations of two values repeat axes of size 1 and missing leading axes, as [`Value::broadcast_to`] does.
///
/// ```
/// use opnorm::{Gpu, tape::Tape};
/// let tape = Tape::new(&Gpu::new()?);
/// let (matrix, row) = (tape.input(&[2, 3])?, tape.input(&[3])?);
/// let program = tape.compile(&[&matrix, &row], &[matrix.add(&row)?])?;
/// let sums = program.evaluate(&[vec![0.0; 6], vec![1.0, 2.0, 3.0]])?; // on the host, in f64
/// assert_eq!(sums[0], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Value {
    tape: Tape,
    node: usize,
    shape: Arc<[usize]>,
}

impl Value {
    pub(super) fn new(tape: &Tape, node: usize, shape: Arc<[usize]>) -> Self {
        Self { tape: tape.clone(), node, shape }
    }

    /// The size along each dimension.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The graph it is part of.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    pub(crate) fn node(&self) -> usize {
        self.node
    }

    /// The value of an operation on this one.
    pub(crate) fn through(&self, operation: impl Operation + 'static) -> Result<Self> {
        self.tape.compute(Arc::new(operation), &[self])
    }

    /// The value of an operation on this one and another, of equal shapes once both are repeated.
    pub(super) fn with(&self, operation: impl Operation + 'static, right: &Self) -> Result<Self> {
        let shape = common(operation.name(), self.shape(), right.shape())?;
        let (left, right) = (self.broadcast_to(&shape)?, right.broadcast_to(&shape)?);
        self.tape.compute(Arc::new(operation), &[&left, &right])
    }
}

/// The shape that both can be repeated to.
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
