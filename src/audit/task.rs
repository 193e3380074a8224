//! A tensor to measure, and its place among those in flight.

use super::Options;
use super::flight::{Begun, Seats};
use crate::Device;
use crate::io::{Checkpoint, Entry};

/// A tensor, with what its measurement needs.
pub(super) struct Task<'a> {
    pub(super) device: &'a Device,
    pub(super) checkpoint: &'a Checkpoint,
    pub(super) entry: &'a Entry,
    pub(super) options: &'a Options,
}

/// The place of a tensor among those in flight, and the threads that solve it together; `None` where it is alone.
pub(super) type Place<'a> = Option<(&'a Begun<'a>, usize)>;

/// Waits for the seats that a tensor is solved on.
pub(super) fn seats<'a>(place: Place<'a>) -> Option<Seats<'a>> {
    place.map(|(begun, threads)| begun.seats(threads))
}
