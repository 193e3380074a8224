//! Commands that are kept with their bind groups, and replayed.

use std::sync::Arc;

use glam::UVec3;

use super::kernel::Pipeline;
use super::step::{HostStep, Turn};

/// Dispatches, copies and host steps on buffers that stay the same, recorded once and replayed by [`super::Recorder`]
/// without making anything on the device.
pub(crate) struct Recorded {
    pub(super) commands: Vec<Command>,
    /// Present where there are host steps: a run then spans several submits, and runs must not mix.
    pub(super) turn: Option<Turn>,
}

impl Recorded {
    pub(super) fn new(commands: Vec<Command>) -> Self {
        let has_steps = commands.iter().any(|command| matches!(command, Command::Host(_)));
        Self { commands, turn: has_steps.then(Turn::default) }
    }
}

/// One command as it goes to the encoder.
#[derive(Clone)]
pub(super) enum Command {
    Dispatch(Dispatch),
    Copy { source: wgpu::Buffer, start: u64, target: wgpu::Buffer, end: u64, bytes: u64 },
    Host(Arc<dyn HostStep>),
}

/// One launch of a kernel, with all it needs.
#[derive(Clone)]
pub(super) struct Dispatch {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) group: wgpu::BindGroup,
    pub(super) immediates: Arc<[u8]>,
    pub(super) size: UVec3,
}
