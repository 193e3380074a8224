//! What a caller is told while tensors are measured.

use std::ops::{ControlFlow, Range};

use super::Row;
use crate::certify::Estimate;
use crate::io::Entry;
use crate::norm::{Progress, SpectralNorms, Triplets};
use crate::{Error, Result};

/// Something that happened; the answer [`ControlFlow::Break`] ends the run with [`Error::Cancelled`].
#[non_exhaustive]
pub enum Event<'a> {
    /// A tensor is next, or the next part of a batch that is solved in parts.
    Started(&'a Entry),
    /// The solver came this far with a tensor.
    Solving(&'a Entry, &'a Progress),
    /// A proof is next that takes a while.
    Estimated(&'a Entry, &'a Estimate),
    /// The proof came this far.
    Certifying(&'a Entry, &'a Progress),
    /// Matrices are solved and still on the device; their rows follow.
    Solved(Solved<'a>),
    /// A row is done.
    Row(Box<Row>),
}

/// Solved matrices of one tensor, with what a row does not hold.
#[non_exhaustive]
pub struct Solved<'a> {
    /// The tensor.
    pub entry: &'a Entry,
    /// Which of its matrices: `0..1` unless the tensor is a batch, whose parts come in order.
    pub items: Range<usize>,
    /// The largest singular value of each, with its vectors.
    pub norms: &'a SpectralNorms,
    /// The singular values that [`Options::top`](super::Options::top) asked for.
    pub top: Option<&'a [Triplets]>,
}

/// Tells `event`; an answer to stop becomes an error that runs through.
pub(super) fn tell(
    observe: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    event: Event<'_>,
    iterations: usize,
) -> Result<()> {
    match observe(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled { operation: "audit", iterations }),
    }
}
