//! Read-backs: a copy into a staging buffer that is mapped once its submit has run.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytemuck::Pod;
use futures::channel::oneshot;

use super::Driver;
use super::waiting;
use crate::device::Capabilities;
use crate::{Error, Result};

/// The submission that brings the contents of read-backs, known once their recorder is submitted.
pub(super) type Submission = Arc<OnceLock<wgpu::SubmissionIndex>>;

/// Bytes on their way to the host.
#[derive(Debug)]
pub(in crate::device) struct Reading {
    pub(super) staging: Option<wgpu::Buffer>,
    pub(super) submission: Submission,
    pub(super) bytes: u64,
}

impl Reading {
    /// Whether the recorder of the reading was submitted.
    pub(in crate::device) fn is_submitted(&self) -> bool {
        self.submission.get().is_some()
    }

    /// Waits for the contents, once the recorder was submitted.
    pub(in crate::device) async fn contents<T: Pod>(self, driver: &Driver) -> Result<Vec<T>> {
        let submission = self.submission.get().cloned();
        let Some(staging) = self.staging else {
            return Ok(Vec::new());
        };
        let bytes = self.bytes;
        let (sender, receiver) = oneshot::channel();
        driver.guarded("read back", || {
            staging.map_async(wgpu::MapMode::Read, 0..bytes, move |mapped| {
                let _ = sender.send(mapped); // the reader may have gone away, which is no fault
            });
        })?;
        driver.counters.read_backs.add(1);
        driver.counters.bytes_read.add(bytes);
        Mapped { driver, receiver, submission }.await?;
        let view = staging.get_mapped_range(0..bytes).map_err(|error| Error::Device {
            operation: "read back".to_string(),
            reason: error.to_string(),
            source: Some(Box::new(error)),
        })?;
        let contents = bytemuck::pod_collect_to_vec(&view[..]);
        drop(view);
        staging.unmap();
        driver.staging.give_back(staging);
        Ok(contents)
    }
}

impl Driver {
    /// A staging buffer, made where none is idle.
    pub(super) fn staging(&self, capabilities: &Capabilities, bytes: u64) -> Result<wgpu::Buffer> {
        if let Some(idle) = self.staging.take(bytes) {
            return Ok(idle);
        }
        self.counters.buffers.add(1);
        self.guarded("read back", || {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("staging"),
                size: bytes.next_power_of_two().max(256).min(capabilities.buffer_bytes.max(bytes)),
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })
    }
}

/// Resolves when a mapping is done.
///
/// Only a poll of the device runs the callback of a mapping. Inside [`waiting::block_on`] the future polls the device
/// itself, and blocks until the submission has run; elsewhere the device's own thread does.
struct Mapped<'a> {
    driver: &'a Driver,
    receiver: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    /// The submission to wait for, before the first poll.
    submission: Option<wgpu::SubmissionIndex>,
}

impl Future for Mapped<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if let Some(submission) = self.submission.take() {
            match waiting::is_blocking() {
                true => self.driver.wait_for(Some(submission))?,
                false => self.driver.wait_elsewhere(submission)?,
            }
        }
        let answer = match Pin::new(&mut self.receiver).poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(answer) => answer,
        };
        Poll::Ready(match answer {
            Ok(Ok(())) => self.driver.check("read back"),
            // A buffer of this library's own is refused only on a device that is gone.
            Ok(Err(error)) => {
                self.driver.faults.set_lost(error.to_string(), Some(Arc::new(error)));
                self.driver.check("read back")
            }
            Err(_) => self
                .driver
                .check("read back")
                .and(Err(Error::DeviceLost { reason: "the device dropped a read-back".to_string(), source: None })),
        })
    }
}
