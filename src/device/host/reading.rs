//! Read-backs of the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::Pod;
use futures::channel::oneshot;

use crate::device::counters::Counters;
use crate::device::faults::Faults;
use crate::{Error, Result};

/// Whether a recorder was submitted, as its read-backs see it.
#[derive(Clone, Debug, Default)]
pub(in crate::device) struct Submission(Arc<AtomicBool>);

impl Submission {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Words on their way to whoever reads back.
#[derive(Debug)]
pub(in crate::device) struct Reading {
    pub(in crate::device) words: oneshot::Receiver<Result<Vec<u32>>>,
    pub(in crate::device) submission: Submission,
}

impl Reading {
    /// Whether the recorder of the reading was submitted.
    pub(in crate::device) fn is_submitted(&self) -> bool {
        self.submission.0.load(Ordering::Acquire)
    }

    /// Waits for the contents, once the recorder was submitted.
    pub(super) async fn contents<T: Pod>(self, faults: &Faults, counters: &Counters) -> Result<Vec<T>> {
        let words = self.words.await;
        faults.check("read back")?;
        let lost = |_| Error::DeviceLost { reason: "the host dropped a read-back".to_string(), source: None };
        let words = words.map_err(lost)??;
        if !words.is_empty() {
            counters.read_backs.add(1);
            counters.bytes_read.add(4 * words.len() as u64);
        }
        // The same memory where the elements are words.
        Ok(bytemuck::allocation::try_cast_vec(words).unwrap_or_else(|(_, words)| bytemuck::pod_collect_to_vec(&words)))
    }
}
