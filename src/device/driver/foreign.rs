//! Checks of `wgpu` handles that a program hands in: that they belong to one device, before anything relies on it.
//!
//! `wgpu` tells a caller of such a mistake through the handler of the *other* device, whose default is a panic, and
//! handles of two instances not at all: their numbers may be the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread::{ThreadId, current, sleep};
use std::time::Duration;

use super::Driver;
use super::trial::trying;
use crate::{Error, Result};

/// Refuses a queue that is not the one of the device.
///
/// Only a poll of the queue's device runs a callback of the queue, and on the thread that polls: a callback that
/// runs on this thread, within a poll of `device`, proves that both belong together. Waits for what was submitted
/// before.
pub(super) fn expect_queue(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<()> {
    // Another thread that polls the same device may take the call away, so that one try tells nothing.
    const TRIES: u64 = 100;
    const PATIENCE: Duration = Duration::from_secs(60);
    let operation = "Device::from_wgpu";
    for attempt in 0..TRIES {
        let ran: Arc<OnceLock<ThreadId>> = Arc::default();
        let tell = Arc::clone(&ran);
        queue.on_submitted_work_done(move || {
            let _ = tell.set(current().id());
        });
        match device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) }) {
            Ok(_) => {}
            Err(wgpu::PollError::Timeout) => {
                return Err(Error::Timeout { operation, seconds: PATIENCE.as_secs() });
            }
            Err(error) => {
                return Err(Error::DeviceLost { reason: error.to_string(), source: Some(Arc::new(error)) });
            }
        }
        if ran.get() == Some(&current().id()) {
            return Ok(());
        }
        sleep(Duration::from_micros(10 * attempt));
    }
    Err(Error::UnsuitableHandle {
        operation: operation.to_string(),
        handle: "queue",
        problem: "is not the queue of that device".to_string(),
        advice: "hand in the device and the queue that one call of `Adapter::request_device` returned",
    })
}

/// Refuses a buffer that the device cannot use: one of another device, a destroyed one, a mapped one.
pub(super) fn expect_buffer(driver: &Driver, operation: &str, raw: &wgpu::Buffer) -> Result<()> {
    let refuse = |problem: &str, advice| {
        let (operation, problem) = (operation.to_string(), problem.to_string());
        Err(Error::UnsuitableHandle { operation, handle: "buffer", problem, advice })
    };
    driver.check(operation)?;
    let trial = || {
        // A buffer that is mapped must stay so.
        let copied = try_copy(driver, raw);
        let own = copied.is_some() || is_of(driver, raw);
        (copied, own)
    };
    let tried = trying(|| catch_unwind(AssertUnwindSafe(trial)));
    driver.check(operation)?;
    // A handle whose number no buffer here has, or whose own device panics at a mistake.
    let Ok((copied, own)) = tried else { return refuse(ANOTHER_DEVICE, MAKE_IT_HERE) };
    match copied {
        Some(reason) => Err(blame(operation, &reason).unwrap_or_else(|| Error::UnsuitableHandle {
            operation: operation.to_string(),
            handle: "buffer",
            problem: format!("cannot be used: {reason}"),
            advice: MAKE_IT_HERE,
        })),
        None if own => Ok(()),
        None => refuse(ANOTHER_DEVICE, MAKE_IT_HERE),
    }
}

/// The error for a handle that the caller handed in, where the words of the driver blame it: this library destroys and
/// maps none of its own handles before their time.
pub(super) fn blame(operation: &str, reason: &str) -> Option<Error> {
    let (problem, advice) = if reason.contains("doesn't match") {
        (ANOTHER_DEVICE, MAKE_IT_HERE)
    } else if reason.contains("has been destroyed") {
        ("has been destroyed", "keep it alive for as long as a matrix or tensor uses it")
    } else if reason.contains("is still mapped") {
        ("is mapped", "call `unmap` before it is used")
    } else {
        return None;
    };
    Some(Error::UnsuitableHandle {
        operation: operation.to_string(),
        handle: "buffer",
        problem: problem.to_string(),
        advice,
    })
}

const ANOTHER_DEVICE: &str = "belongs to another device";
const MAKE_IT_HERE: &str = "make it with `device.wgpu_device()`, or make the `Device` with `Device::from_wgpu` of the device that the buffer is of";

/// The error of the device for a copy out of the buffer.
fn try_copy(driver: &Driver, raw: &wgpu::Buffer) -> Option<String> {
    let bytes = raw.size().min(4) & !3;
    let (_, fault) = driver.scoped(|| {
        let mut encoder = driver.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(raw, 0, driver.placeholder.raw(), 0, bytes);
        driver.queue.submit([encoder.finish()])
    });
    fault.map(|error| error.to_string())
}

/// Whether a buffer tells its errors to this device.
///
/// To unmap what is not mapped is such an error, and changes nothing. Buffers that may be mapped are taken at their
/// word: their owner may be about to map them.
fn is_of(driver: &Driver, raw: &wgpu::Buffer) -> bool {
    if raw.usage().intersects(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::MAP_WRITE) {
        return true;
    }
    driver.scoped(|| raw.unmap()).1.is_some()
}
