//! Steps of the host between two submits, and the turns that keep the runs of one recording apart.

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use futures::lock::{Mutex, MutexGuard};

use crate::Result;

/// Work of the host between two dispatches: a small solve, a reduction over machines, a panel from disk.
///
/// [`super::Recorder::host`] records one; its example shows an implementation.
pub trait HostStep: Send + Sync {
    /// The name that errors call the step by.
    fn name(&self) -> &'static str;

    /// Runs the step, any number of times.
    ///
    /// Commands recorded before the step have been submitted: a read-back sees their results, and
    /// [`super::Buffer::write`] comes before commands recorded after it. The step may submit recorders of its own, with
    /// memory that nothing else uses meanwhile.
    ///
    /// # Errors
    /// Any; the run of the recorder ends with it.
    fn run(&self) -> LocalBoxFuture<'_, Result<()>>;
}

/// The right to run some recorded commands, which one recorder at a time has.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// The turns in one order for all recorders, each once, so that no two recorders wait for one another.
    pub(super) fn in_order(mut turns: Vec<Self>) -> Vec<Self> {
        turns.sort_by_key(|turn| Arc::as_ptr(&turn.0).addr());
        turns.dedup_by(|one, other| Arc::ptr_eq(&one.0, &other.0));
        turns
    }

    /// Waits for the recorder that has the turn.
    pub(super) async fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }
}
