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
    /// Solved matrices; their rows follow.
    Solved(Solved<'a>),
    /// A finished row.
    Row(Box<Row>),
    /// The end of a tensor, after its last row.
    Finished(&'a Entry),
}

/// Solved matrices of one tensor, with singular vectors, which rows do not hold.
#[non_exhaustive]
pub struct Solved<'a> {
    /// The tensor.
    pub entry: &'a Entry,
    /// The batch items: `0..1` unless the tensor is a batch, whose parts come in order.
    pub items: Range<usize>,
    /// The largest singular value of each item, with its vectors. Of a complex matrix these and the other values are
    /// those of the real embedding [[Re, -Im], [Im, Re]], which has each value twice.
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
    /// Whether results were told.
    resulted: bool,
}

impl<'a> Observer<'a> {
    pub(super) fn new(observe: &'a mut dyn FnMut(Event<'_>) -> Result<()>) -> Self {
        Self { observe, ended: false, resulted: false }
    }

    /// Reports an event.
    ///
    /// # Errors
    /// Any error of the observer.
    pub(super) fn tell(&mut self, event: Event<'_>) -> Result<()> {
        self.resulted |= matches!(event, Event::Solved(_) | Event::Row(_));
        let answer = (self.observe)(event);
        self.ended |= answer.is_err();
        answer
    }

    /// Whether results were told, so that another try would tell them twice.
    pub(super) fn has_results(&self) -> bool {
        self.resulted
    }

    /// Whether the observer answered with an error.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}
