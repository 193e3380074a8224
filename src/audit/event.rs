//! The events of a measurement.

use std::ops::{ControlFlow, Range};

use super::Row;
use crate::certify::Estimate;
use crate::io::Entry;
use crate::norm::{Progress, SpectralNorms, Triplets};
use crate::{Error, Result};

/// An event of a measurement; the answer [`ControlFlow::Break`] ends the run with [`Error::Cancelled`].
#[non_exhaustive]
pub enum Event<'a> {
    /// A tensor begins, or a part of a batch that is solved in parts.
    Started(&'a Entry),
    /// The solver made progress with a tensor.
    Solving(&'a Entry, &'a Progress),
    /// A proof begins that takes two seconds or more.
    Estimated(&'a Entry, &'a Estimate),
    /// A proof made progress.
    Certifying(&'a Entry, &'a Progress),
    /// Matrices are solved and still on the device; their rows follow.
    Solved(Solved<'a>),
    /// A row is known.
    Row(Box<Row>),
}

/// Solved matrices of one tensor, with their singular vectors, which rows do not hold.
#[non_exhaustive]
pub struct Solved<'a> {
    /// The tensor.
    pub entry: &'a Entry,
    /// The batch elements: `0..1` unless the tensor is a batch, whose parts come in order.
    pub items: Range<usize>,
    /// The largest singular value of each, with its vectors.
    pub norms: &'a SpectralNorms,
    /// The singular values that [`Options::top`](super::Options::top) asked for.
    pub top: Option<&'a [Triplets]>,
}

/// Reports `event`; the answer to stop becomes [`Error::Cancelled`].
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
