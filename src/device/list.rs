//! The commands of one submit, on either kind of device.

use bytemuck::Pod;
use futures::channel::oneshot;

use super::buffer::Buffer;
use super::handle::{Device, Kind};
use super::memory::Memory;
use super::readback::Reading;
use super::recorded::Command;
use super::{driver, host};
use crate::Result;

/// The commands of one submit.
pub(super) enum List {
    Driver(driver::Encoding),
    Host { commands: Vec<host::Command>, submission: host::Submission },
}

impl List {
    pub(super) fn new(device: &Device) -> Self {
        match device.kind() {
            Kind::Driver(_) => Self::Driver(driver::Encoding::default()),
            Kind::Host(_) => Self::Host { commands: Vec::new(), submission: host::Submission::default() },
        }
    }

    /// A copy between buffers of one length, on one device.
    pub(super) fn copy<T: Pod>(from: &Buffer<T>, to: &Buffer<T>) -> Command {
        let (start, end, bytes) = (from.offset, to.offset, from.byte_len());
        match (from.memory.clone(), to.memory.clone()) {
            (Memory::Driver(source), Memory::Driver(target)) => {
                let (source, target) = (source.raw().clone(), target.raw().clone());
                Command::Driver(driver::Command::Copy { source, start, target, end, bytes })
            }
            (Memory::Host(source), Memory::Host(target)) => {
                let (start, end, bytes) = (start as usize, end as usize, bytes as usize);
                Command::Host(host::Work::Copy { source, start, target, end, bytes })
            }
            _ => unreachable!("a recorder refuses memory of another device"),
        }
    }

    pub(super) fn run(&mut self, command: Command) {
        match (self, command) {
            (Self::Driver(encoding), Command::Driver(command)) => encoding.run(command),
            (Self::Host { commands, .. }, Command::Host(work)) => commands.push(host::Command::Work(work)),
            _ => unreachable!("a recorder makes commands of its device, and takes steps itself"),
        }
    }

    /// Records a read-back.
    pub(super) fn read<T: Pod>(&mut self, device: &Device, buffer: &Buffer<T>) -> Result<Reading> {
        match (self, device.kind(), &buffer.memory) {
            (Self::Driver(encoding), Kind::Driver(driver), Memory::Driver(memory)) => {
                let (device, start, bytes) = ((driver, device.capabilities()), buffer.offset, buffer.byte_len());
                let source = memory.raw().clone();
                let copy = |target| driver::Command::Copy { source, start, target, end: 0, bytes };
                Ok(Reading::Driver(encoding.read(device, bytes, copy)?))
            }
            (Self::Driver(encoding), Kind::Driver(driver), Memory::Texels(texels)) => {
                let (device, start, bytes) = ((driver, device.capabilities()), buffer.offset, buffer.byte_len());
                let source = texels.clone();
                let copy = |target| driver::Command::CopyTexels { source, start, target, bytes };
                Ok(Reading::Driver(encoding.read(device, bytes, copy)?))
            }
            (Self::Host { commands, submission }, _, Memory::Host(source)) => {
                let (reader, words) = oneshot::channel();
                let first = (buffer.offset / 4) as usize;
                let range = first..first + (buffer.byte_len() / 4) as usize;
                commands.push(host::Command::Read { source: source.clone(), words: range, reader });
                Ok(Reading::Host(host::Reading { words, submission: submission.clone() }))
            }
            _ => unreachable!("a recorder refuses memory of another device"),
        }
    }

    /// Records a look at words where they are, on the host alone.
    pub(super) fn look(&mut self, buffer: &Buffer<u32>, look: host::Look) {
        let (Self::Host { commands, .. }, Memory::Host(source)) = (self, &buffer.memory) else {
            unreachable!("a recorder looks in place on the host alone")
        };
        let first = (buffer.offset / 4) as usize;
        commands.push(host::Command::Look { source: source.clone(), words: first..first + buffer.len(), look });
    }

    /// Hands the commands to the device.
    pub(super) fn submit(self, device: &Device) -> Result<()> {
        match (self, device.kind()) {
            (Self::Driver(encoding), Kind::Driver(driver)) => encoding.submit(driver),
            (Self::Host { commands, submission }, Kind::Host(host)) => host.submit(commands, &submission),
            _ => unreachable!("a list is of its device"),
        }
    }
}
