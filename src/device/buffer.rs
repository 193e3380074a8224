//! Typed pieces of device memory.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::Pod;

use super::counters::Holding;
use super::handle::{Device, Kind};
use super::memory::Memory;
use crate::{Error, Result};

/// A run of elements, of four bytes or a multiple, in device memory; clones share it.
#[derive(Clone, Debug)]
pub struct Buffer<T> {
    pub(super) memory: Memory,
    home: Arc<Home>,
    pub(super) offset: u64,
    len: usize,
    missed: Option<Missed>,
    element: PhantomData<T>,
}

/// A range past the end of a buffer, which every use of the slice refuses.
#[derive(Clone, Debug)]
struct Missed {
    range: Range<usize>,
    length: usize,
}

impl Missed {
    fn refuse(missed: Option<&Self>, operation: &'static str) -> Result<()> {
        let Some(Self { range, length }) = missed else { return Ok(()) };
        Err(Error::OutOfRange { operation, what: "elements", found: range.clone(), length: *length })
    }
}

/// The device that memory belongs to, as far as known; shared by all slices of one piece of memory.
#[derive(Debug)]
struct Home {
    /// The `Device` that made the memory, where no other `Device` can be of the same device.
    sole: Option<u64>,
    /// A `Device` that is known to be of the device of the memory; 0 for none.
    known: AtomicU64,
    /// The count of the memory, where this library made it.
    _holding: Option<Holding>,
}

impl Home {
    /// Refuses memory of another device, which would make `wgpu` panic.
    fn expect_on(&self, device: &Device, operation: &'static str, memory: &Memory) -> Result<()> {
        let (id, handed_in) = device.identity();
        if self.known.load(Ordering::Relaxed) == id {
            return Ok(());
        }
        match (device.kind(), memory) {
            (Kind::Driver(driver), Memory::Driver(memory)) if self.sole.is_none() || handed_in => {
                driver.expect_buffer(operation, memory.raw())?;
                self.known.store(id, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(Error::Foreign { operation, what: "memory of another `Device`: upload it to this one" }),
        }
    }
}

impl Device {
    /// Memory to bind where a kernel is to read nothing.
    pub(crate) fn placeholder(&self) -> Buffer<u32> {
        let memory = match self.kind() {
            Kind::Driver(driver) => Memory::Driver(driver.placeholder().clone()),
            Kind::Host(host) => Memory::Host(host.placeholder().clone()),
        };
        Buffer::new(memory, self.identity(), None, 1)
    }
}

impl<T: Pod> Buffer<T> {
    /// Zeroed memory for `len` elements.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above the device's buffer limit, [`Error::OutOfMemory`], [`Error::DeviceLost`].
    pub fn zeros(device: &Device, operation: &'static str, len: usize) -> Result<Self> {
        // A binding holds at least one element, and copies move multiples of four bytes.
        let bytes = (len.max(1) as u64).checked_mul(size_of::<T>() as u64);
        let bytes = bytes.and_then(|bytes| bytes.checked_next_multiple_of(16)).unwrap_or(u64::MAX);
        let limit = device.capabilities().buffer_bytes;
        if bytes > limit {
            return Err(Error::TooLarge {
                operation,
                what: format!("a buffer of {len} elements, in bytes,"),
                needed: bytes,
                limit,
                advice: "split the work into smaller batches",
            });
        }
        let memory = match device.kind() {
            Kind::Driver(driver) => Memory::Driver(driver.zeros(operation, bytes)?),
            Kind::Host(host) => Memory::Host(host.zeros(operation, bytes)?),
        };
        let holding = Holding::new(device.counters(), bytes);
        Ok(Self::new(memory, device.identity(), Some(holding), len))
    }

    /// Zeroed memory for `len` elements, whole texels of 16 bytes, that kernels read as a texture; on adapters alone.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], [`Error::DeviceLost`].
    pub(crate) fn texels(device: &Device, operation: &'static str, len: usize) -> Result<Self> {
        let Kind::Driver(driver) = device.kind() else { unreachable!("the host has no textures") };
        let bytes = (len * size_of::<T>()) as u64;
        let texels = driver.texels(operation, bytes)?;
        let holding = Holding::new(device.counters(), bytes);
        Ok(Self::new(Memory::Texels(texels), device.identity(), Some(holding), len))
    }

    /// Whether kernels read the memory as a texture.
    pub(crate) fn is_texels(&self) -> bool {
        matches!(self.memory, Memory::Texels(_))
    }

    /// Memory that the `Device` of this identity made.
    fn new(memory: Memory, (id, handed_in): (u64, bool), holding: Option<Holding>, len: usize) -> Self {
        let home = Home { sole: (!handed_in).then_some(id), known: AtomicU64::new(id), _holding: holding };
        Self { memory, home: Arc::new(home), offset: 0, len, missed: None, element: PhantomData }
    }

    /// Memory of a program that embeds this library, whose device is not known yet.
    pub(super) fn of_a_program(memory: Memory, offset: u64, len: usize) -> Self {
        let home = Home { sole: None, known: AtomicU64::new(0), _holding: None };
        Self { memory, home: Arc::new(home), offset, len, missed: None, element: PhantomData }
    }

    /// Device memory with a copy of `data`.
    ///
    /// # Errors
    /// As [`Buffer::zeros`].
    pub fn from_slice(device: &Device, operation: &'static str, data: &[T]) -> Result<Self> {
        let buffer = Self::zeros(device, operation, data.len())?;
        buffer.write(device, operation, 0, data)?;
        Ok(buffer)
    }

    /// Copies `data` over the elements from `first` on, before anything submitted later.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when it does not fit.
    pub fn write(&self, device: &Device, operation: &'static str, first: usize, data: &[T]) -> Result<()> {
        if first.checked_add(data.len()).is_none_or(|end| end > self.len) {
            return Err(Error::ShapeMismatch {
                operation,
                expected: format!("at most {} elements", self.len.saturating_sub(first)),
                found: format!("{}", data.len()),
            });
        }
        let offset = self.offset + (first * size_of::<T>()) as u64;
        if data.is_empty() {
            return Missed::refuse(self.missed.as_ref(), operation);
        }
        self.expect_on(device, operation)?;
        let data = bytemuck::cast_slice(data);
        match (device.kind(), &self.memory) {
            (Kind::Driver(driver), Memory::Driver(memory)) => driver.write(operation, memory, offset, data),
            (Kind::Driver(driver), Memory::Texels(texels)) => driver.write_texels(operation, texels, offset, data),
            (Kind::Host(host), Memory::Host(memory)) => host.write(operation, memory, offset, data),
            _ => unreachable!("`expect_on` refuses memory of another device"),
        }
    }

    /// Lets the host write elements in place, before anything is submitted that uses them; on the host as a device
    /// alone.
    ///
    /// # Errors
    /// Any error of `fill`; [`Error::DeviceLost`].
    pub(crate) fn fill(&self, device: &Device, fill: impl FnOnce(&mut [T]) -> Result<()>) -> Result<()> {
        self.expect_on(device, "fill")?;
        device.check("fill")?;
        let Memory::Host(memory) = &self.memory else { unreachable!("memory of adapters is written by copies") };
        let first = self.offset as usize;
        memory.fill(first..first + self.byte_len() as usize, |bytes| fill(bytemuck::cast_slice_mut(bytes)))
    }

    /// The elements of `range`, in the same memory.
    ///
    /// The start must lie on the device's binding alignment where a kernel is to see the part;
    /// a dispatch checks it. A range past the end is an [`Error::OutOfRange`] where the part is first used,
    /// with the operation that uses it.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let (start, len) = (range.start.min(self.len), range.len());
        let fits = range.start <= range.end && range.end <= self.len;
        let missed = if fits { None } else { Some(Missed { range, length: self.len }) };
        Self {
            memory: self.memory.clone(),
            home: Arc::clone(&self.home),
            offset: self.offset + (start * size_of::<T>()) as u64,
            len,
            missed: self.missed.clone().or(missed),
            element: PhantomData,
        }
    }

    /// The same memory as words.
    pub(crate) fn words(&self) -> Buffer<u32> {
        Buffer {
            memory: self.memory.clone(),
            home: Arc::clone(&self.home),
            offset: self.offset,
            len: self.len * size_of::<T>() / size_of::<u32>(),
            missed: self.missed.clone(),
            element: PhantomData,
        }
    }

    /// The distance of the first element from the start of its memory, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Refuses memory of another device, and a slice past the end.
    pub(crate) fn expect_on(&self, device: &Device, operation: &'static str) -> Result<()> {
        Missed::refuse(self.missed.as_ref(), operation)?;
        self.home.expect_on(device, operation, &self.memory)
    }

    pub(super) fn byte_len(&self) -> u64 {
        (self.len * size_of::<T>()) as u64
    }
}

/// A buffer of any element type, as a dispatch binds it.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(super) memory: Memory,
    home: Arc<Home>,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    missed: Option<Missed>,
}

impl Binding {
    /// Refuses memory of another device, and a slice past the end.
    pub(super) fn expect_on(&self, device: &Device, operation: &'static str) -> Result<()> {
        Missed::refuse(self.missed.as_ref(), operation)?;
        self.home.expect_on(device, operation, &self.memory)
    }
}

impl<T: Pod> From<&Buffer<T>> for Binding {
    fn from(buffer: &Buffer<T>) -> Self {
        let bytes = buffer.byte_len().next_multiple_of(4).max(4).min(buffer.memory.size() - buffer.offset);
        Self {
            memory: buffer.memory.clone(),
            home: Arc::clone(&buffer.home),
            offset: buffer.offset,
            bytes,
            missed: buffer.missed.clone(),
        }
    }
}
