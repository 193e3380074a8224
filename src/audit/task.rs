//! A tensor to measure, and its place among those in flight.

use super::flight::{Begun, Seats};
use super::source::Source;
use super::{Options, Stored, Target};
use crate::io::TensorView;
use crate::{Device, Result};

/// A tensor, with what its measurement needs.
pub(super) struct Task<'a> {
    pub(super) device: &'a Device,
    pub(super) target: Target<'a>,
    pub(super) options: &'a Options,
}

impl<'a> Task<'a> {
    /// The elements of the tensor; of a weight in parts, those of the plain weight, with the facts about its parts.
    pub(super) fn read(&self) -> Result<(Source<'a>, Option<Stored>)> {
        let Target { checkpoint, entry, stored, quantised, bytes, .. } = self.target;
        if let Some(bytes) = bytes {
            return Ok((Source::of(TensorView::computed(entry, bytes)?), None));
        }
        if let Some(weight) = quantised {
            return Ok((Source::Real(Box::new(weight.read(checkpoint)?)), None));
        }
        let Some(weight) = stored else { return Ok((Source::of(checkpoint.read(entry)?), None)) };
        let (view, estimate) = weight.effective_matrix(checkpoint)?;
        Ok((Source::of(view), Some(Stored { format: weight.format(), estimate, warning: None })))
    }
}

/// The place of a tensor among those in flight, and the threads that solve it together; `None` where it is alone.
pub(super) type Place<'a> = Option<(&'a Begun<'a>, usize)>;

/// Waits for the seats that a tensor is solved on.
pub(super) fn seats<'a>(place: Place<'a>) -> Option<Seats<'a>> {
    place.map(|(begun, threads)| begun.seats(threads))
}
