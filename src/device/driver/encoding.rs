//! Commands as they go to an encoder of the driver.

use std::sync::Arc;

use glam::UVec3;

use super::Driver;
use super::pipelines::Pipeline;
use super::reading::{Reading, Submission};
use crate::Result;
use crate::device::buffer::Binding;
use crate::device::kernel::Shader;
use crate::device::{Capabilities, Grid};

/// One command as it goes to the encoder.
#[derive(Clone)]
pub(in crate::device) enum Command {
    Dispatch(Dispatch),
    Copy { source: wgpu::Buffer, start: u64, target: wgpu::Buffer, end: u64, bytes: u64 },
}

/// One launch of a kernel, with all it needs.
#[derive(Clone)]
pub(in crate::device) struct Dispatch {
    pipeline: Arc<Pipeline>,
    group: wgpu::BindGroup,
    offsets: Box<[u32]>,
    immediates: Arc<[u8]>,
    size: UVec3,
}

/// The launch of a kernel on memory of the device.
///
/// # Errors
/// [`crate::Error::TooLarge`] past the device's workgroups; a refusal of the driver.
pub(in crate::device) fn dispatch(
    (driver, capabilities): (&Driver, &Capabilities),
    kernel: Shader<'_>,
    grid: Grid,
    params: &[u8],
    bindings: &[Binding],
) -> Result<Command> {
    let size = grid.fold(kernel.name(), capabilities.groups_per_dimension)?;
    let pipeline = driver.pipeline(capabilities.profile.lanes, kernel)?;
    let (group, offsets) = driver.bind(&pipeline, kernel, bindings)?;
    Ok(Command::Dispatch(Dispatch { pipeline, group, offsets, immediates: params.into(), size }))
}

/// The commands of one submit.
pub(in crate::device) struct Encoding {
    encoder: wgpu::CommandEncoder,
    pass: Option<wgpu::ComputePass<'static>>,
    dispatches: u64,
    /// The submission that the read-backs of this encoding wait for.
    submission: Submission,
}

impl Encoding {
    pub(in crate::device) fn new(driver: &Driver) -> Self {
        let encoder = driver.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        Self { encoder, pass: None, dispatches: 0, submission: Submission::default() }
    }

    pub(in crate::device) fn run(&mut self, command: Command) {
        match command {
            Command::Dispatch(dispatch) => {
                let encoder = &mut self.encoder;
                let pass = self.pass.get_or_insert_with(|| {
                    encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime()
                });
                pass.set_pipeline(&dispatch.pipeline.pipeline);
                pass.set_bind_group(0, &dispatch.group, &dispatch.offsets);
                pass.set_immediates(0, &dispatch.immediates);
                pass.dispatch_workgroups(dispatch.size.x, dispatch.size.y, dispatch.size.z);
                self.dispatches += 1;
            }
            Command::Copy { source, start, target, end, bytes } => {
                self.pass = None;
                self.encoder.copy_buffer_to_buffer(&source, start, &target, end, bytes);
            }
        }
    }

    /// Records a copy of some bytes into memory that the host can map.
    pub(in crate::device) fn read(
        &mut self,
        (driver, capabilities): (&Driver, &Capabilities),
        (source, offset): (&wgpu::Buffer, u64),
        bytes: u64,
    ) -> Result<Reading> {
        self.pass = None;
        let staging = if bytes == 0 { None } else { Some(driver.staging(capabilities, bytes)?) };
        if let Some(staging) = &staging {
            self.encoder.copy_buffer_to_buffer(source, offset, staging, 0, bytes);
        }
        Ok(Reading { staging, submission: Arc::clone(&self.submission), bytes })
    }

    /// Hands the commands to the device.
    pub(in crate::device) fn submit(mut self, driver: &Driver) -> Result<()> {
        driver.check("submit")?;
        self.pass = None;
        let encoder = self.encoder;
        let index = driver.guarded("submit", || driver.queue.submit([encoder.finish()]))?;
        let _ = self.submission.set(index); // set nowhere else
        driver.counters.submits.add(1);
        driver.counters.dispatches.add(self.dispatches);
        Ok(())
    }
}
