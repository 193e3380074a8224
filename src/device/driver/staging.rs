//! Staging buffers that are used again.

use std::sync::{Mutex, PoisonError};

/// Staging buffers that wait to be used again.
#[derive(Debug, Default)]
pub(super) struct Staging {
    idle: Mutex<Vec<wgpu::Buffer>>,
}

impl Staging {
    /// Buffers kept, and the largest kept: enough for status blocks in flight, not for whole matrices.
    const KEPT: usize = 8;
    const KEPT_BYTES: u64 = 4 << 20;

    /// An idle buffer of so many bytes or more.
    pub(super) fn take(&self, bytes: u64) -> Option<wgpu::Buffer> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle.iter().position(|buffer| buffer.size() >= bytes)?;
        Some(idle.swap_remove(found))
    }

    pub(super) fn give_back(&self, buffer: wgpu::Buffer) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < Self::KEPT && buffer.size() <= Self::KEPT_BYTES {
            idle.push(buffer);
        }
    }
}
