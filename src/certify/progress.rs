//! The progress of a proof, for a listener.

use crate::Result;
use crate::iterate::{Control, Progress};

/// The steps of one proof.
pub(super) struct Steps<'a> {
    control: Control<'a>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(control: Control<'a>) -> Self {
        Self { control }
    }

    /// Tells the listener the finished part of a step.
    pub(super) fn reach(&mut self, step: &'static str, done: usize, total: usize) -> Result<()> {
        self.control.report(|| Progress::new("certify", step, done, total))
    }
}
