//! Scratch memory: buffers that live for a few dispatches and are used again.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use super::buffer::Buffer;
use super::handle::Device;
use crate::Result;

/// Buffers that wait to be used again.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Buffer<f32>>>,
}

impl Pool {
    /// Elements kept idle at the most; beyond it, the largest are freed.
    const KEPT_ELEMENTS: usize = 16 << 20;

    fn take(&self, len: usize) -> Option<Buffer<f32>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |buffer: &Buffer<f32>| buffer.len() >= len && buffer.len() / 4 <= len.max(64);
        let found = idle.iter().position(fits)?;
        Some(idle.swap_remove(found))
    }

    fn give_back(&self, buffer: Buffer<f32>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(buffer);
        idle.sort_by_key(Buffer::len);
        while idle.iter().map(Buffer::len).sum::<usize>() > Self::KEPT_ELEMENTS {
            idle.pop();
        }
    }
}

/// Scratch memory that goes back to the pool when it is dropped.
///
/// Whoever takes it writes it before reading it, within one recorder. Commands of a queue run in order, so the memory
/// may be handed out again while the commands that used it still wait: the next user's writes come after them.
///
/// Where a host step was recorded while the memory was held, its commands may be of several submits, between which
/// another user's writes could come: such memory is freed with its commands, and never handed out again.
pub struct Scratch {
    device: Device,
    /// Host steps recorded on the device before this was taken.
    steps: u64,
    whole: Option<Buffer<f32>>,
    part: Buffer<f32>,
}

impl Device {
    /// Scratch memory for `len` elements, with old contents.
    ///
    /// # Errors
    /// As [`Buffer::zeros`].
    pub fn scratch(&self, operation: &'static str, len: usize) -> Result<Scratch> {
        let whole = match self.facts_of_lane().of::<Pool>().take(len) {
            Some(buffer) => buffer,
            None => Buffer::zeros(
                self,
                operation,
                len.next_power_of_two().max(64).min(self.capabilities().binding_elements().max(len)),
            )?,
        };
        let part = whole.slice(0..len);
        Ok(Scratch { device: self.clone(), steps: self.host_steps().get(), whole: Some(whole), part })
    }
}

impl Deref for Scratch {
    type Target = Buffer<f32>;

    fn deref(&self) -> &Buffer<f32> {
        &self.part
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(buffer) = self.whole.take()
            && self.device.host_steps().get() == self.steps
        {
            self.device.facts_of_lane().of::<Pool>().give_back(buffer);
        }
    }
}
