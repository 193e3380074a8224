//! Commands that are kept with all they need, and replayed.

use std::sync::Arc;

use super::step::{HostStep, Turn};
use super::{driver, host};

/// Dispatches, copies and host steps on buffers that stay the same, recorded once and replayed by [`super::Recorder`]
/// without making anything on the device.
pub(crate) struct Recorded {
    pub(super) commands: Vec<Command>,
    /// Present where there are host steps: a run then spans several submits, and runs must not mix.
    pub(super) turn: Option<Turn>,
}

impl Recorded {
    pub(super) fn new(commands: Vec<Command>) -> Self {
        let has_steps = commands.iter().any(|command| matches!(command, Command::Step(_)));
        Self { commands, turn: has_steps.then(Turn::default) }
    }
}

/// One command of a recording.
#[derive(Clone)]
pub(super) enum Command {
    Driver(driver::Command),
    Host(host::Work),
    Step(Arc<dyn HostStep>),
}
