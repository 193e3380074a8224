//! The events of a measurement.

use std::ops::Range;

use super::Row;
use crate::certify::Estimate;
use crate::io::Entry;
use crate::norm::{Progress, SpectralNorms, Triplets};
use crate::{Error, Result};

/// An event of a measurement.
///
/// An error as the answer ends the run with that error; [`Event::cancelled`] makes such an error.
#[non_exhaustive]
pub enum Event<'a> {
    /// The start of a tensor, or of a part of a batch that is solved in parts.
    Started(&'a Entry),
    /// Progress of the solver with a tensor.
    Solving(&'a Entry, &'a Progress),
    /// The start of a proof of two seconds or more.
    Estimated(&'a Entry, &'a Estimate),
    /// Progress of a proof.
    Certifying(&'a Entry, &'a Progress),
    /// Solved matrices that are still on the device; their rows follow.
    Solved(Solved<'a>),
    /// A finished row.
    Row(Box<Row>),
}

/// Solved matrices of one tensor, with singular vectors, which rows do not hold.
#[non_exhaustive]
pub struct Solved<'a> {
    /// The tensor.
    pub entry: &'a Entry,
    /// The batch items: `0..1` unless the tensor is a batch, whose parts come in order.
    pub items: Range<usize>,
    /// The largest singular value of each item, with its vectors.
    pub norms: &'a SpectralNorms,
    /// The singular values that [`Options::top`](super::Options::top) asked for.
    pub top: Option<&'a [Triplets]>,
}

impl Event<'_> {
    /// The error that ends a run at the caller's request.
    pub fn cancelled(&self) -> Error {
        let iterations = match self {
            Self::Solving(_, progress) | Self::Certifying(_, progress) => progress.iterations,
            _ => 0,
        };
        Error::Cancelled { operation: "audit", iterations }
    }
}

/// The observer of a measurement.
pub(super) struct Observer<'a> {
    observe: &'a mut dyn FnMut(Event<'_>) -> Result<()>,
    // A fault of one tensor becomes a note of its row, whereas the same error from the observer must end the run.
    ended: bool,
}

impl<'a> Observer<'a> {
    pub(super) fn new(observe: &'a mut dyn FnMut(Event<'_>) -> Result<()>) -> Self {
        Self { observe, ended: false }
    }

    /// Reports an event.
    ///
    /// # Errors
    /// Any error of the observer.
    pub(super) fn tell(&mut self, event: Event<'_>) -> Result<()> {
        let answer = (self.observe)(event);
        self.ended |= answer.is_err();
        answer
    }

    /// Whether the observer answered with an error.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}
