//! Typed pieces of device memory.

use std::marker::PhantomData;
use std::ops::Range;

use bytemuck::Pod;

use super::{Gpu, guarded};
use crate::{Error, Result};

/// A run of elements, of four bytes or a multiple, in device memory; clones share it.
#[derive(Clone, Debug)]
pub struct Buffer<T> {
    raw: wgpu::Buffer,
    /// The device that it was made on, as [`Gpu::opened`] has it.
    owner: Option<u64>,
    offset: u64,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// Zeroed memory for `len` elements.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above the device's buffer limit, [`Error::OutOfMemory`], [`Error::DeviceLost`].
    pub fn zeros(gpu: &Gpu, operation: &'static str, len: usize) -> Result<Self> {
        // A binding holds at least one element, and copies move multiples of four bytes.
        let bytes = (len.max(1) as u64).saturating_mul(size_of::<T>() as u64).next_multiple_of(16);
        let limit = gpu.capabilities().buffer_bytes;
        if bytes > limit {
            return Err(Error::TooLarge {
                operation,
                what: format!("a buffer of {len} elements, in bytes,"),
                needed: bytes,
                limit,
                advice: "split the work into smaller batches",
            });
        }
        gpu.check(operation)?;
        let made = guarded(gpu, operation, || {
            gpu.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some(operation),
                size: bytes,
                usage: Self::usage(),
                mapped_at_creation: false,
            })
        });
        let raw = made.map_err(|error| match error {
            Error::OutOfMemory { operation, .. } => Error::OutOfMemory { operation, bytes },
            other => other,
        })?;
        gpu.counters().buffers.add(1);
        Ok(Self { raw, owner: gpu.opened(), offset: 0, len, element: PhantomData })
    }

    /// Device memory with a copy of `data`.
    ///
    /// # Errors
    /// As [`Buffer::zeros`].
    pub fn from_slice(gpu: &Gpu, operation: &'static str, data: &[T]) -> Result<Self> {
        let buffer = Self::zeros(gpu, operation, data.len())?;
        buffer.write(gpu, operation, 0, data)?;
        Ok(buffer)
    }

    /// Copies `data` over the elements from `first` on, before anything submitted later.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when it does not fit.
    pub fn write(&self, gpu: &Gpu, operation: &'static str, first: usize, data: &[T]) -> Result<()> {
        if first.checked_add(data.len()).is_none_or(|end| end > self.len) {
            return Err(Error::ShapeMismatch {
                operation,
                expected: format!("at most {} elements", self.len.saturating_sub(first)),
                found: format!("{}", data.len()),
            });
        }
        let offset = self.offset + (first * size_of::<T>()) as u64;
        if data.is_empty() {
            return Ok(());
        }
        expect_own(gpu, operation, self.owner)?;
        guarded(gpu, operation, || gpu.queue().write_buffer(&self.raw, offset, bytemuck::cast_slice(data)))
    }

    /// The same memory, a part of it.
    ///
    /// The start must lie on the device's binding alignment where a kernel is to see the part;
    /// [`super::Recorder::dispatch`] checks it.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        Self {
            raw: self.raw.clone(),
            owner: self.owner,
            offset: self.offset + (start * size_of::<T>()) as u64,
            len: end - start,
            element: PhantomData,
        }
    }

    /// Memory of a buffer made elsewhere on the same device.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the buffer is too small, [`Error::UnsuitableDevice`] when its usage lacks
    /// `STORAGE`, `COPY_SRC` or `COPY_DST`.
    pub fn from_wgpu(raw: wgpu::Buffer, operation: &'static str, offset: u64, len: usize) -> Result<Self> {
        let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
        if offset.checked_add(bytes).is_none_or(|end| end > raw.size()) {
            return Err(Error::ShapeMismatch {
                operation,
                expected: format!("a buffer of {bytes} bytes after offset {offset}"),
                found: format!("{} bytes in all", raw.size()),
            });
        }
        let missing = Self::usage() - raw.usage();
        if !missing.is_empty() {
            return Err(Error::UnsuitableDevice { missing: format!("{missing:?} in the usage of the buffer") });
        }
        Ok(Self { raw, owner: None, offset, len, element: PhantomData })
    }

    /// The buffer underneath and the offset of the first element in bytes.
    pub fn as_wgpu(&self) -> (&wgpu::Buffer, u64) {
        (&self.raw, self.offset)
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Refuses memory of another device.
    pub(super) fn expect_on(&self, gpu: &Gpu, operation: &'static str) -> Result<()> {
        expect_own(gpu, operation, self.owner)
    }

    fn usage() -> wgpu::BufferUsages {
        wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST
    }

    pub(super) fn byte_len(&self) -> u64 {
        (self.len * size_of::<T>()) as u64
    }
}

/// A buffer of any element type, as a dispatch binds it.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(super) raw: wgpu::Buffer,
    owner: Option<u64>,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// Refuses memory that is known to be of another device, which would be the end of the program.
fn expect_own(gpu: &Gpu, operation: &'static str, owner: Option<u64>) -> Result<()> {
    if owner.is_none() || gpu.opened().is_none() || owner == gpu.opened() {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: "memory of one device".to_string(),
        found: "that of another `Gpu`: upload it there".to_string(),
    })
}

impl Binding {
    /// Refuses memory of another device.
    pub(super) fn expect_on(&self, gpu: &Gpu, operation: &'static str) -> Result<()> {
        expect_own(gpu, operation, self.owner)
    }

    pub(super) fn entry(&self, binding: u32) -> wgpu::BindGroupEntry<'_> {
        let size = std::num::NonZeroU64::new(self.bytes);
        let resource =
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &self.raw, offset: self.offset, size });
        wgpu::BindGroupEntry { binding, resource }
    }
}

impl<T: Pod> From<&Buffer<T>> for Binding {
    fn from(buffer: &Buffer<T>) -> Self {
        let bytes = buffer.byte_len().next_multiple_of(4).max(4).min(buffer.raw.size() - buffer.offset);
        Self { raw: buffer.raw.clone(), owner: buffer.owner, offset: buffer.offset, bytes }
    }
}
