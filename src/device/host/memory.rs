//! Memory of the host: whole cache lines behind a lock that only the queue takes.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytemuck::{Pod, Zeroable};
use memmap2::MmapMut;

use crate::{Error, Result};

/// A cache line, so that memory starts on a whole one.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u32; 16]);

/// Bytes from which on memory is mapped by itself, in pages as large as the system has: kernels go through large memory
/// end to end, and would otherwise wait for the tables of small pages.
const LARGE: u64 = 4 << 20;

/// Lines, each of them zero at first.
enum Lines {
    Allocated(Box<[Line]>),
    Mapped(MmapMut),
}

impl Lines {
    /// Lines for so many bytes; `None` where there is no memory for them.
    fn zeros(bytes: u64) -> Option<Self> {
        let count = usize::try_from(bytes.div_ceil(size_of::<Line>() as u64)).ok()?;
        if bytes < LARGE {
            return bytemuck::allocation::try_zeroed_slice_box(count).ok().map(Self::Allocated);
        }
        let map = MmapMut::map_anon(count.checked_mul(size_of::<Line>())?).ok()?;
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage); // a system without large pages refuses, and is slower
        Some(Self::Mapped(map))
    }
}

/// Memory that its clones share.
#[derive(Clone)]
pub(in crate::device) struct Memory {
    lines: Arc<Mutex<Lines>>,
    bytes: u64,
}

/// Memory while a command of the queue uses it.
pub(super) struct Held<'a>(MutexGuard<'a, Lines>);

/// A copy of elements.
///
/// # Errors
/// [`Error::OutOfMemory`]
pub(super) fn copied<T: Copy>(operation: &str, elements: &[T]) -> Result<Vec<T>> {
    let mut copy = Vec::new();
    let bytes = size_of_val(elements) as u64;
    let out = |_| Error::OutOfMemory { operation: operation.to_string(), bytes };
    copy.try_reserve_exact(elements.len()).map_err(out)?;
    copy.extend_from_slice(elements);
    Ok(copy)
}

impl Memory {
    /// Zeroed memory of so many bytes.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]
    pub(in crate::device) fn zeros(operation: &str, bytes: u64) -> Result<Self> {
        let out = || Error::OutOfMemory { operation: operation.to_string(), bytes };
        let lines = Lines::zeros(bytes).ok_or_else(out)?;
        Ok(Self { lines: Arc::new(Mutex::new(lines)), bytes })
    }

    pub(in crate::device) fn size(&self) -> u64 {
        self.bytes
    }

    /// Whether both are the same memory.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lines, &other.lines)
    }

    /// Lets `fill` write bytes that no submitted command uses.
    pub(in crate::device) fn fill<T>(&self, bytes: Range<usize>, fill: impl FnOnce(&mut [u8]) -> T) -> T {
        fill(&mut self.hold().bytes()[bytes])
    }

    pub(super) fn hold(&self) -> Held<'_> {
        Held(self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held<'_> {
    pub(super) fn words(&mut self) -> &mut [u32] {
        bytemuck::cast_slice_mut(self.bytes())
    }

    pub(super) fn bytes(&mut self) -> &mut [u8] {
        match &mut *self.0 {
            Lines::Allocated(lines) => bytemuck::cast_slice_mut(lines),
            Lines::Mapped(map) => map,
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").field("bytes", &self.bytes).finish()
    }
}
