//! The wait for a submission, and the thread that waits for futures.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::device::faults::Faults;
use crate::{Error, Result};

/// The longest time of a submission, after which the device counts as hung.
const PATIENCE: Duration = Duration::from_secs(300);

/// The thread of a device that waits for submissions in the order of their read-backs; it starts with the first and
/// ends with the device.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    thread: Mutex<Option<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    submissions: Sender<wgpu::SubmissionIndex>,
    thread: JoinHandle<()>,
}

impl Waiter {
    pub(super) fn wait(
        &self,
        device: &wgpu::Device,
        faults: &Arc<Faults>,
        submission: wgpu::SubmissionIndex,
    ) -> Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = match &*thread {
            Some(waiting) => waiting,
            None => thread.insert(Waiting::start(device.clone(), Arc::clone(faults))?),
        };
        let gone = |_| Error::DeviceLost { reason: "the thread that waits for it ended".to_string(), source: None };
        waiting.submissions.send(submission).map_err(gone)
    }
}

impl Waiting {
    fn start(device: wgpu::Device, faults: Arc<Faults>) -> Result<Self> {
        let (submissions, receiver): (_, Receiver<wgpu::SubmissionIndex>) = channel();
        let run = move || {
            for submission in receiver {
                if let Err(error) = wait(&device, Some(submission)) {
                    // Kept for the future that waits: its channel closes with the callback.
                    faults.set_lost(error.to_string(), Some(Arc::new(error)));
                }
            }
        };
        let refused = |error: std::io::Error| Error::Device {
            operation: "wait for the device".to_string(),
            reason: format!("no thread to wait on: {error}"),
            source: Some(Box::new(error)),
        };
        let thread = thread::Builder::new().name("opnorm device".to_string()).spawn(run).map_err(refused)?;
        Ok(Self { submissions, thread })
    }
}

impl Drop for Waiter {
    /// Ends the thread before the device goes: a driver must not be taken down by a thread while the process ends.
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Waiting { submissions, thread }) = thread else { return };
        drop(submissions);
        if thread.thread().id() != thread::current().id() {
            let _ = thread.join(); // a panic there has been told where it happened
        }
    }
}

/// Waits until the device has done one submission, and all before it; with `None`, everything submitted so far.
pub(super) fn wait(device: &wgpu::Device, submission_index: Option<wgpu::SubmissionIndex>) -> Result<()> {
    match device.poll(wgpu::PollType::Wait { submission_index, timeout: Some(PATIENCE) }) {
        Ok(_) => Ok(()),
        Err(wgpu::PollError::Timeout) => {
            Err(Error::Timeout { operation: "wait for the device", seconds: PATIENCE.as_secs() })
        }
        // A submission without an error that was none: only a device that is gone takes work so.
        Err(error @ wgpu::PollError::WrongSubmissionIndex(..)) => {
            Err(Error::DeviceLost { reason: error.to_string(), source: Some(Arc::new(error)) })
        }
    }
}
