//! Commands as they go to an encoder of the driver.

use std::sync::Arc;

use glam::UVec3;

use super::Driver;
use super::pipelines::Pipeline;
use super::reading::{Reading, Submission};
use super::texels::{self, Texels};
use crate::Result;
use crate::device::buffer::Binding;
use crate::device::kernel::{Access, Shader};
use crate::device::memory::Memory as Either;
use crate::device::{Capabilities, Grid};

/// One command as it goes to the encoder.
#[derive(Clone)]
pub(in crate::device) enum Command {
    Dispatch(Dispatch),
    Copy { source: wgpu::Buffer, start: u64, target: wgpu::Buffer, end: u64, bytes: u64 },
    CopyTexels { source: Texels, start: u64, target: wgpu::Buffer, bytes: u64 },
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

/// The commands of a launch of a kernel on memory of the device: what it reads in uniform memory is copied before.
///
/// # Errors
/// [`crate::Error::TooLarge`] past the device's workgroups; a refusal of the driver.
pub(in crate::device) fn dispatch(
    (driver, capabilities): (&Driver, &Capabilities),
    kernel: Shader<'_>,
    grid: Grid,
    params: &[u8],
    bindings: &[Binding],
) -> Result<Vec<Command>> {
    let size = grid.fold(kernel.name(), capabilities.groups_per_dimension)?;
    let pipeline = driver.pipeline(capabilities.profile.lanes, kernel)?;
    let (group, offsets) = driver.bind(&pipeline, kernel, bindings)?;
    let copied = bindings.iter().zip(kernel.access()).filter(|(_, access)| **access == Access::Uniform);
    let mut commands: Vec<_> = copied.filter_map(|(binding, _)| driver.copy_to_uniform(binding)).collect();
    commands.push(Command::Dispatch(Dispatch { pipeline, group, offsets, immediates: params.into(), size }));
    Ok(commands)
}

impl Driver {
    /// The copy of a buffer to where kernels read uniform memory.
    fn copy_to_uniform(&self, binding: &Binding) -> Option<Command> {
        let Either::Driver(memory) = &binding.memory else { return None };
        let (source, target) = (memory.raw().clone(), self.uniform.raw().clone());
        Some(Command::Copy { source, start: binding.offset, target, end: 0, bytes: binding.bytes })
    }
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

    /// Records the copy of some bytes into memory that the host can map.
    pub(in crate::device) fn read(
        &mut self,
        (driver, capabilities): (&Driver, &Capabilities),
        bytes: u64,
        copy: impl FnOnce(wgpu::Buffer) -> Command,
    ) -> Result<Reading> {
        let staging = if bytes == 0 { None } else { Some(driver.staging(capabilities, bytes)?) };
        if let Some(target) = staging.clone() {
            self.run(copy(target));
        }
        Ok(Reading { staging, submission: Arc::clone(&self.submission), bytes })
    }

    /// Hands the commands to the device, once the pipelines are made.
    pub(in crate::device) fn submit(self, driver: &Driver) -> Result<()> {
        driver.check("submit")?;
        let dispatches = self.commands.iter().filter_map(|command| match command {
            Command::Dispatch(dispatch) => Some(dispatch),
            Command::Copy { .. } | Command::CopyTexels { .. } => None,
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
            Command::CopyTexels { source, start, target, bytes } => {
                pass = None;
                texels::copy(&mut encoder, source, (*start, *bytes), target);
            }
        }
    }
    drop(pass);
    encoder.finish()
}
