//! Waiting for the device: on the caller's thread, or on one thread of the device for futures that must not block.

use std::cell::Cell;
use std::future::Future;

use super::Driver;
use super::waiter::wait;
use crate::{Error, Result};

thread_local! {
    static BLOCKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside [`block_on`].
pub(super) fn is_blocking() -> bool {
    BLOCKING.get()
}

/// Runs a future to its end on this thread, which drives devices meanwhile.
pub(in crate::device) fn block_on<F: Future>(future: F) -> F::Output {
    let outer = BLOCKING.replace(true);
    let result = pollster::block_on(future);
    BLOCKING.set(outer);
    result
}

impl Driver {
    /// Waits until the device has done one submission, and all before it; with `None`, everything submitted so far.
    pub(in crate::device) fn wait_for(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        self.check("wait for the device")?;
        let waited = wait(&self.device, submission);
        if let Err(Error::DeviceLost { reason, source }) = &waited {
            self.faults.set_lost(reason.clone(), source.clone());
        }
        self.check("wait for the device")?;
        waited
    }

    /// Lets the device's thread wait for one submission, for a future that must not block.
    pub(super) fn wait_elsewhere(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        self.check("wait for the device")?;
        self.waiter.wait(&self.device, &self.faults, submission)
    }
}
