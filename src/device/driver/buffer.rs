//! Memory of the driver: made, written, and taken from the program that embeds this library.

use bytemuck::Pod;

use super::Driver;
use super::foreign;
use super::memory::Memory;
use crate::device::Buffer;
use crate::device::memory::Memory as Either;
use crate::{Error, Result};

impl Driver {
    /// Zeroed memory of so many bytes.
    pub(in crate::device) fn zeros(&self, operation: &'static str, bytes: u64) -> Result<Memory> {
        self.check(operation)?;
        let made = self.guarded(operation, || {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(operation),
                size: bytes,
                usage: usage(),
                mapped_at_creation: false,
            })
        });
        let raw = made.map_err(|error| match error {
            Error::OutOfMemory { operation, .. } => Error::OutOfMemory { operation, bytes },
            other => other,
        })?;
        self.counters.buffers.add(1);
        Ok(Memory::new(raw))
    }

    pub(in crate::device) fn write(
        &self,
        operation: &'static str,
        memory: &Memory,
        offset: u64,
        data: &[u8],
    ) -> Result<()> {
        self.guarded(operation, || self.queue.write_buffer(memory.raw(), offset, data))
    }

    /// Refuses a buffer that this device cannot use.
    pub(in crate::device) fn expect_buffer(&self, operation: &'static str, raw: &wgpu::Buffer) -> Result<()> {
        foreign::expect_buffer(self, operation, raw)
    }
}

impl<T: Pod> Buffer<T> {
    /// Memory of a buffer made elsewhere on the same device, from byte `offset` on.
    ///
    /// A buffer of another device is refused where it is first used with a [`crate::Device`].
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the buffer is too small, [`Error::InvalidOption`] when the offset is no multiple
    /// of four bytes, [`Error::UnsuitableHandle`] when its usage lacks `STORAGE`, `COPY_SRC` or `COPY_DST`.
    pub fn from_wgpu(raw: wgpu::Buffer, operation: &'static str, offset: u64, len: usize) -> Result<Self> {
        if !offset.is_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT) {
            return Err(Error::InvalidOption {
                operation,
                option: "the offset into the buffer",
                value: format!("{offset} bytes"),
                allowed: "a multiple of 4, as the elements are of 4 bytes",
            });
        }
        let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
        if offset.checked_add(bytes).is_none_or(|end| end > raw.size()) {
            return Err(Error::ShapeMismatch {
                operation,
                expected: format!("a buffer with {bytes} bytes from offset {offset} on, for {len} elements"),
                found: format!("{} bytes in all", raw.size()),
            });
        }
        let missing = usage() - raw.usage();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter_names().map(|(name, _)| name).collect();
            return Err(Error::UnsuitableHandle {
                operation: operation.to_string(),
                handle: "buffer",
                problem: format!("was made without the usage {}", names.join(" | ")),
                advice: "make it with `BufferUsages::STORAGE | COPY_SRC | COPY_DST`",
            });
        }
        Ok(Self::of_a_program(Either::Driver(Memory::new(raw)), offset, len))
    }

    /// The buffer underneath and the offset of the first element in bytes; `None` on the host.
    pub fn as_wgpu(&self) -> Option<(&wgpu::Buffer, u64)> {
        match &self.memory {
            Either::Driver(memory) => Some((memory.raw(), self.offset)),
            Either::Texels(_) | Either::Host(_) => None,
        }
    }
}

fn usage() -> wgpu::BufferUsages {
    wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST
}
