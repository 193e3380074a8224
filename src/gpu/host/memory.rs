//! Memory of the host: whole cache lines behind a lock that only the queue takes.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytemuck::{Pod, Zeroable};

use crate::{Error, Result};

/// A cache line, so that memory starts on a whole one.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u32; 16]);

/// Memory that its clones share.
#[derive(Clone)]
pub(in crate::gpu) struct Memory {
    lines: Arc<Mutex<Box<[Line]>>>,
    bytes: u64,
}

/// Memory while a command of the queue uses it.
pub(super) struct Held<'a>(MutexGuard<'a, Box<[Line]>>);

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
    pub(in crate::gpu) fn zeros(operation: &str, bytes: u64) -> Result<Self> {
        let out = |()| Error::OutOfMemory { operation: operation.to_string(), bytes };
        let count = usize::try_from(bytes.div_ceil(size_of::<Line>() as u64)).map_err(|_| out(()))?;
        let lines = bytemuck::allocation::try_zeroed_slice_box(count).map_err(out)?;
        Ok(Self { lines: Arc::new(Mutex::new(lines)), bytes })
    }

    pub(in crate::gpu) fn size(&self) -> u64 {
        self.bytes
    }

    /// Whether both are the same memory.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lines, &other.lines)
    }

    pub(super) fn hold(&self) -> Held<'_> {
        Held(self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held<'_> {
    pub(super) fn words(&mut self) -> &mut [u32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }

    pub(super) fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").field("bytes", &self.bytes).finish()
    }
}
