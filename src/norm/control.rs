//! What a caller hands to a run and hears from it.

use std::fmt;
use std::ops::ControlFlow;

use super::SpectralNorms;

/// What is called each time the host has read the status of the device.
pub type OnStatus<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// A warm start and a callback for a run of a solver.
#[derive(Default)]
pub struct Control<'a> {
    /// Vectors to start from, of an earlier result for an operator of the same shape; they save iterations where the
    /// operator changed little. Items without vectors there start at random.
    pub start: Option<&'a SpectralNorms>,
    /// Called each time the host has read the status of the device. `Break` ends the run with
    /// [`crate::Error::Cancelled`].
    pub on_status: Option<OnStatus<'a>>,
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Control").field("start", &self.start.is_some()).finish_non_exhaustive()
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Iterations so far.
    pub iterations: usize,
    /// Items that are done.
    pub converged: usize,
    /// All items.
    pub items: usize,
    /// The estimate of the first item that is not done, or of the last one.
    pub sigma: f64,
    /// The relative error one may expect of it; infinite where nothing is known yet.
    pub error: f64,
    /// The upper bound of that item, where one was asked for; infinite where nothing is known.
    pub upper: f64,
}
