//! Read-backs: a copy into a staging buffer that is mapped once its submit has run.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use bytemuck::Pod;
use futures::channel::oneshot;

use super::buffer::Buffer;
use super::device::Gpu;
use super::guard::guarded;
use super::waiting;
use crate::{Error, Result};

/// The submission that brings the contents of read-backs, known once their recorder is submitted.
pub(super) type Submission = Arc<OnceLock<wgpu::SubmissionIndex>>;

/// Contents of a buffer on their way to the host.
///
/// Several read-backs may be under way at once. Each waits for the submission that it was recorded in, and for none
/// after it.
#[derive(Debug)]
#[must_use = "contents that nobody waits for were copied in vain"]
pub struct ReadBack<T> {
    gpu: Gpu,
    staging: Option<wgpu::Buffer>,
    submission: Submission,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Pod> ReadBack<T> {
    pub(super) fn record(
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        submission: &Submission,
        buffer: &Buffer<T>,
    ) -> Result<Self> {
        let bytes = buffer.byte_len();
        let staging = if bytes == 0 { None } else { Some(gpu.facts().of::<Staging>().take(gpu, bytes)?) };
        if let Some(staging) = &staging {
            let (source, offset) = buffer.as_wgpu();
            encoder.copy_buffer_to_buffer(source, offset, staging, 0, bytes);
        }
        let submission = Arc::clone(submission);
        Ok(Self { gpu: gpu.clone(), staging, submission, len: buffer.len(), element: PhantomData })
    }

    /// Waits for the contents without blocking the thread.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] where the recorder was not submitted; [`Error::Timeout`], [`Error::DeviceLost`],
    /// [`Error::Device`].
    pub async fn contents(self) -> Result<Vec<T>> {
        let Some(submission) = self.submission.get().cloned() else {
            return Err(Error::InvalidOption {
                operation: "read back",
                option: "the recorder",
                value: "not submitted".to_string(),
                allowed: "submitted before its read-backs are waited for",
            });
        };
        let Some(staging) = self.staging else {
            return Ok(Vec::new());
        };
        let gpu = self.gpu;
        let bytes = (self.len * size_of::<T>()) as u64;
        let (sender, receiver) = oneshot::channel();
        guarded(&gpu, "read back", || {
            staging.map_async(wgpu::MapMode::Read, 0..bytes, move |mapped| {
                let _ = sender.send(mapped); // the reader may have gone away, which is no fault
            });
        })?;
        gpu.counters().read_backs.add(1);
        gpu.counters().bytes_read.add(bytes);
        Mapped { gpu: gpu.clone(), receiver, submission: Some(submission) }.await?;
        let view = staging.get_mapped_range(0..bytes).map_err(|error| Error::Device {
            operation: "read back".to_string(),
            reason: error.to_string(),
            source: Some(Box::new(error)),
        })?;
        let contents = bytemuck::pod_collect_to_vec(&view[..]);
        drop(view);
        staging.unmap();
        gpu.facts().of::<Staging>().give_back(staging);
        Ok(contents)
    }

    /// Waits for the contents.
    ///
    /// # Errors
    /// As [`ReadBack::contents`].
    pub fn wait(self) -> Result<Vec<T>> {
        let gpu = self.gpu.clone();
        gpu.block_on(self.contents())
    }
}

/// Resolves when a mapping is done.
///
/// Only a poll of the device runs the callback of a mapping. Inside [`Gpu::block_on`] the future polls the device
/// itself, and blocks until the submission has run; elsewhere the device's own thread does.
struct Mapped {
    gpu: Gpu,
    receiver: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    /// The submission to wait for, before the first poll.
    submission: Option<wgpu::SubmissionIndex>,
}

impl Future for Mapped {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if let Some(submission) = self.submission.take() {
            match waiting::is_blocking() {
                true => self.gpu.wait_for(Some(submission))?,
                false => self.gpu.wait_elsewhere(submission)?,
            }
        }
        let answer = match Pin::new(&mut self.receiver).poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(answer) => answer,
        };
        Poll::Ready(match answer {
            Ok(Ok(())) => self.gpu.check("read back"),
            // A buffer of this library's own is refused only on a device that is gone.
            Ok(Err(error)) => {
                self.gpu.faults().set_lost(error.to_string(), Some(Arc::new(error)));
                self.gpu.check("read back")
            }
            Err(_) => self
                .gpu
                .check("read back")
                .and(Err(Error::DeviceLost { reason: "the device dropped a read-back".to_string(), source: None })),
        })
    }
}

/// Staging buffers that wait to be used again.
#[derive(Debug, Default)]
pub(super) struct Staging {
    idle: Mutex<Vec<wgpu::Buffer>>,
}

impl Staging {
    /// Buffers kept, and the largest kept: enough for status blocks in flight, not for whole matrices.
    const KEPT: usize = 8;
    const KEPT_BYTES: u64 = 4 << 20;

    fn take(&self, gpu: &Gpu, bytes: u64) -> Result<wgpu::Buffer> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = idle.iter().position(|buffer| buffer.size() >= bytes) {
            return Ok(idle.swap_remove(found));
        }
        drop(idle);
        gpu.counters().buffers.add(1);
        guarded(gpu, "read back", || {
            gpu.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some("staging"),
                size: bytes.next_power_of_two().max(256).min(gpu.capabilities().buffer_bytes.max(bytes)),
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })
    }

    fn give_back(&self, buffer: wgpu::Buffer) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < Self::KEPT && buffer.size() <= Self::KEPT_BYTES {
            idle.push(buffer);
        }
    }
}
