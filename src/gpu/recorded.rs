//! Commands that are kept with their bind groups, and replayed.

use std::sync::Arc;

use glam::UVec3;

use super::kernel::Pipeline;

/// Dispatches and copies between buffers that stay the same, recorded once and replayed by [`super::Recorder`] without making
/// anything on the device.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(super) commands: Vec<Command>,
}

/// One command as it goes to the encoder.
#[derive(Clone)]
pub(super) enum Command {
    Dispatch(Dispatch),
    Copy { source: wgpu::Buffer, start: u64, target: wgpu::Buffer, end: u64, bytes: u64 },
}

/// One launch of a kernel, with all it needs.
#[derive(Clone)]
pub(super) struct Dispatch {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) group: wgpu::BindGroup,
    pub(super) immediates: Arc<[u8]>,
    pub(super) size: UVec3,
}
