//! Events on their way from the thread of a tensor to the observer.

use std::ops::Range;

use super::{Event, Row, Solved};
use crate::certify::Estimate;
use crate::io::Entry;
use crate::norm::{Progress, SpectralNorms, Triplets};

/// An event without its tensor.
pub(super) enum News {
    Started,
    Solving(Progress),
    Estimated(Estimate),
    Certifying(Progress),
    Solved(Box<Found>),
    Row(Box<Row>),
    Finished,
}

/// What [`Solved`] borrows.
pub(super) struct Found {
    items: Range<usize>,
    norms: SpectralNorms,
    top: Option<Vec<Triplets>>,
}

impl News {
    pub(super) fn of(event: Event<'_>) -> Self {
        match event {
            Event::Started(_) => Self::Started,
            Event::Solving(_, progress) => Self::Solving(*progress),
            Event::Estimated(_, estimate) => Self::Estimated(*estimate),
            Event::Certifying(_, progress) => Self::Certifying(*progress),
            Event::Solved(Solved { items, norms, top, .. }) => {
                Self::Solved(Box::new(Found { items, norms: norms.clone(), top: top.map(<[_]>::to_vec) }))
            }
            Event::Row(row) => Self::Row(row),
            Event::Finished(_) => Self::Finished,
        }
    }

    /// Calls `observe` with the event of this tensor.
    pub(super) fn tell<T>(self, entry: &Entry, observe: impl FnOnce(Event<'_>) -> T) -> T {
        match self {
            Self::Started => observe(Event::Started(entry)),
            Self::Solving(progress) => observe(Event::Solving(entry, &progress)),
            Self::Estimated(estimate) => observe(Event::Estimated(entry, &estimate)),
            Self::Certifying(progress) => observe(Event::Certifying(entry, &progress)),
            Self::Solved(found) => {
                let Found { items, norms, top } = *found;
                observe(Event::Solved(Solved { entry, items, norms: &norms, top: top.as_deref() }))
            }
            Self::Row(row) => observe(Event::Row(row)),
            Self::Finished => observe(Event::Finished(entry)),
        }
    }
}
