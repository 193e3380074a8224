//! A list of dispatches, copies and read-backs that is submitted as one, or in parts where the host has steps between.

mod look;
mod own;
mod staged;

use std::sync::Arc;

use bytemuck::Pod;

pub(crate) use self::look::Look;
use super::buffer::{Binding, Buffer};
use super::grid::Grid;
use super::handle::{Device, Kind};
use super::kernel::{Access, Generated, Kernel, Shader};
use super::list::List;
use super::readback::ReadBack;
use super::recorded::Command;
use super::step::{HostStep, Turn};
use super::{driver, host};
use crate::{Error, Result};

/// A recording of dispatches, copies and host steps; nothing runs before [`Recorder::submit`] or
/// [`Recorder::submit_async`], and a recorder that is dropped before loses its commands.
///
/// Commands run in the order of their recording, and recorders in the order of their submission.
#[must_use = "what is recorded runs when the recorder is submitted"]
pub struct Recorder {
    device: Device,
    list: List,
    active: Option<Buffer<u32>>,
    captured: Option<Vec<Command>>,
    /// The commands before each host step, and the step.
    earlier: Vec<(Self, Arc<dyn HostStep>)>,
    /// The turns to take before the first submit.
    turns: Vec<Turn>,
}

impl Device {
    /// A new, empty recorder.
    pub fn recorder(&self) -> Recorder {
        Recorder::new(self)
    }
}

impl Recorder {
    pub(super) fn new(device: &Device) -> Self {
        Self {
            device: device.clone(),
            list: List::new(device),
            active: None,
            captured: None,
            earlier: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// The device this records for.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Records one dispatch of a kernel.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a wrong number of bindings, [`Error::TooLarge`] for a binding or grid past the
    /// device's limits, [`Error::Device`] when the driver refuses the kernel.
    pub(crate) fn dispatch<P: Pod>(
        &mut self,
        kernel: &'static Kernel,
        grid: Grid,
        params: &P,
        bindings: &[Binding],
    ) -> Result<()> {
        self.launch(Shader::File(kernel), grid, bytemuck::bytes_of(params), bindings)
    }

    /// As [`Recorder::dispatch`], of a kernel that was written at run time, with the words of its parameters.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub(crate) fn dispatch_generated(
        &mut self,
        kernel: &Generated,
        grid: Grid,
        params: &[u32],
        bindings: &[Binding],
    ) -> Result<()> {
        self.launch(Shader::Generated(kernel), grid, bytemuck::cast_slice(params), bindings)
    }

    fn launch(&mut self, kernel: Shader<'_>, grid: Grid, params: &[u8], bindings: &[Binding]) -> Result<()> {
        if grid.is_empty() {
            return Ok(());
        }
        self.expect_bindings(kernel, params.len(), bindings)?;
        match self.device.kind() {
            Kind::Driver(driver) => {
                let device = (driver, self.device.capabilities());
                let commands = driver::dispatch(device, kernel, grid, params, bindings)?;
                commands.into_iter().for_each(|command| self.run(Command::Driver(command)));
            }
            Kind::Host(_) => self.run(Command::Host(host::bind(kernel, params, bindings)?)),
        }
        Ok(())
    }

    fn run(&mut self, command: Command) {
        if matches!(command, Command::Step(_)) {
            self.device.host_steps().add(1); // captured ones too: scratch memory may be held across them
        }
        match (&mut self.captured, command) {
            (Some(captured), command) => captured.push(command),
            (None, Command::Step(step)) => self.close_before(step),
            (None, command) => self.list.run(command),
        }
    }

    fn expect_bindings(&self, kernel: Shader<'_>, params: usize, bindings: &[Binding]) -> Result<()> {
        let (operation, expected) = (kernel.name(), (kernel.access().len(), kernel.params() as usize));
        if (bindings.len(), params) != expected {
            return Err(Error::ShapeMismatch {
                operation,
                expected: format!("{} bindings and {} bytes of parameters", expected.0, expected.1),
                found: format!("{} and {params}", bindings.len()),
            });
        }
        let capabilities = self.device.capabilities();
        for (bound, access) in bindings.iter().zip(kernel.access()) {
            bound.expect_on(&self.device, operation)?;
            if bound.bytes > capabilities.binding_bytes {
                return Err(Error::TooLarge {
                    operation,
                    what: "a binding, in bytes,".to_string(),
                    needed: bound.bytes,
                    limit: capabilities.binding_bytes,
                    advice: "use shorter vectors or a smaller batch",
                });
            }
            if *access != Access::Uniform && bound.offset % capabilities.offset_alignment != 0 {
                return Err(Error::ShapeMismatch {
                    operation,
                    expected: format!("memory that starts on a multiple of {} bytes", capabilities.offset_alignment),
                    found: format!("the offset {} into its buffer: copy it into memory of its own", bound.offset),
                });
            }
        }
        Ok(())
    }

    /// Records a copy of whole buffers or slices of one length.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the lengths differ.
    pub fn copy<T: Pod>(&mut self, from: &Buffer<T>, to: &Buffer<T>) -> Result<()> {
        if from.len() != to.len() {
            return Err(Error::ShapeMismatch {
                operation: "copy",
                expected: format!("{} elements", from.len()),
                found: format!("{}", to.len()),
            });
        }
        from.expect_on(&self.device, "copy")?;
        to.expect_on(&self.device, "copy")?;
        if from.byte_len() > 0 {
            self.run(List::copy(from, to));
        }
        Ok(())
    }

    /// Records a read-back; its contents can be waited for once the recorder is submitted.
    ///
    /// # Errors
    /// As [`Buffer::zeros`].
    pub fn read<T: Pod>(&mut self, buffer: &Buffer<T>) -> Result<ReadBack<T>> {
        if self.captured.is_some() {
            return Err(Error::InvalidOption {
                operation: "capture commands",
                option: "a command",
                value: "a read-back".to_string(),
                allowed: "a dispatch, a copy or a host step",
            });
        }
        buffer.expect_on(&self.device, "read")?;
        Ok(ReadBack::new(&self.device, self.list.read(&self.device, buffer)?))
    }

    /// Records what `commands` records, and lets kernels skip the vectors whose entry in `active` is 0.
    ///
    /// A vector is one column of one batch item. Operations on as many vectors as the mask has entries may use it to
    /// save work; a skipped output keeps its old contents.
    ///
    /// # Errors
    /// Whatever `commands` returns.
    pub fn masked<T>(&mut self, active: &Buffer<u32>, commands: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = self.active.replace(active.clone());
        let result = commands(self);
        self.active = outer;
        result
    }

    /// The mask of [`Recorder::masked`] and its length, for an operation on so many vectors.
    ///
    /// Where there is none, or the operation counts its vectors otherwise (an operator that reads one vector as
    /// several, say), a buffer to bind in its place, and 0: nothing is skipped.
    pub(crate) fn mask(&self, vectors: usize) -> (Buffer<u32>, u32) {
        match &self.active {
            Some(active) if active.len() == vectors => (active.clone(), active.len() as u32),
            _ => (self.device.placeholder(), 0),
        }
    }

    /// Hands everything recorded to the device, in order.
    ///
    /// # Errors
    /// [`Error::NeedsHost`] when a host step was recorded; [`Error::Device`] when the driver refuses it,
    /// [`Error::DeviceLost`].
    pub fn submit(self) -> Result<()> {
        self.expect_no_step()?;
        self.list.submit(&self.device)
    }
}
