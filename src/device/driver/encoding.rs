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
#[derive(Default)]
pub(in crate::device) struct Encoding {
    commands: Vec<Command>,
    /// The submission that the read-backs of this encoding wait for.
    submission: Submission,
}

impl Encoding {
    pub(in crate::device) fn run(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Records a copy of some bytes into memory that the host can map.
    pub(in crate::device) fn read(
        &mut self,
        (driver, capabilities): (&Driver, &Capabilities),
        (source, start): (&wgpu::Buffer, u64),
        bytes: u64,
    ) -> Result<Reading> {
        let staging = if bytes == 0 { None } else { Some(driver.staging(capabilities, bytes)?) };
        if let Some(target) = staging.clone() {
            self.run(Command::Copy { source: source.clone(), start, target, end: 0, bytes });
        }
        Ok(Reading { staging, submission: Arc::clone(&self.submission), bytes })
    }

    /// Hands the commands to the device, once the pipelines are made.
    pub(in crate::device) fn submit(self, driver: &Driver) -> Result<()> {
        driver.check("submit")?;
        let dispatches = self.commands.iter().filter_map(|command| match command {
            Command::Dispatch(dispatch) => Some(dispatch),
            Command::Copy { .. } => None,
        });
        let pipelines = dispatches.map(|dispatch| driver.finished(&dispatch.pipeline)).collect::<Result<Vec<_>>>()?;
        let index = driver.guarded("submit", || {
            let commands = encode(&driver.device, &self.commands, &pipelines);
            driver.queue.submit([commands])
        })?;
        let _ = self.submission.set(index); // set nowhere else
        driver.counters.submits.add(1);
        driver.counters.dispatches.add(pipelines.len() as u64);
        Ok(())
    }
}

/// The commands in the words of the driver, with the pipelines of the dispatches among them.
fn encode(device: &wgpu::Device, commands: &[Command], pipelines: &[wgpu::ComputePipeline]) -> wgpu::CommandBuffer {
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let (mut pass, mut pipelines) = (None, pipelines.iter());
    for command in commands {
        match command {
            Command::Dispatch(dispatch) => {
                let pass = pass.get_or_insert_with(|| {
                    encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime()
                });
                pipelines.next().into_iter().for_each(|pipeline| pass.set_pipeline(pipeline));
                pass.set_bind_group(0, &dispatch.group, &dispatch.offsets);
                pass.set_immediates(0, &dispatch.immediates);
                pass.dispatch_workgroups(dispatch.size.x, dispatch.size.y, dispatch.size.z);
            }
            Command::Copy { source, start, target, end, bytes } => {
                pass = None;
                encoder.copy_buffer_to_buffer(source, *start, target, *end, *bytes);
            }
        }
    }
    drop(pass);
    encoder.finish()
}
