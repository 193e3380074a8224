//! Counts of the work that a device was asked to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bytes that are held, and the most at once.
#[derive(Debug, Default)]
pub(crate) struct Held {
    now: AtomicU64,
    most: AtomicU64,
}

/// Bytes of one buffer, held until this is dropped.
#[derive(Debug)]
pub(super) struct Holding {
    counters: Arc<Counters>,
    bytes: u64,
}

impl Holding {
    pub(super) fn new(counters: &Arc<Counters>, bytes: u64) -> Self {
        let held = &counters.held;
        let now = held.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
        held.most.fetch_max(now, Ordering::Relaxed);
        Self { counters: Arc::clone(counters), bytes }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.counters.held.now.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) submits: Counter,
    pub(crate) dispatches: Counter,
    pub(crate) bind_groups: Counter,
    pub(crate) pipelines: Counter,
    pub(crate) scopes: Counter,
    pub(crate) buffers: Counter,
    pub(crate) read_backs: Counter,
    pub(crate) bytes_read: Counter,
    /// Memory of buffers.
    held: Held,
    /// Host steps recorded, replays included.
    pub(super) host_steps: Counter,
}

/// Totals since the [`super::Device`] was made, over all its clones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Submits to the queue.
    pub submits: u64,
    /// Kernel launches.
    pub dispatches: u64,
    /// Bind groups made.
    pub bind_groups: u64,
    /// Pipelines made.
    pub pipelines: u64,
    /// Calls to the driver whose errors were waited for: creations, writes, submits, read-backs.
    pub scopes: u64,
    /// Buffers made, staging buffers included.
    pub buffers: u64,
    /// Waits of the host for data of the device.
    pub read_backs: u64,
    /// Bytes those brought.
    pub bytes_read: u64,
    /// Bytes of the buffers that are held now, idle scratch memory included.
    pub held_bytes: u64,
    /// The most bytes of buffers that were held at once.
    pub peak_bytes: u64,
}

impl Counters {
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            submits: self.submits.get(),
            dispatches: self.dispatches.get(),
            bind_groups: self.bind_groups.get(),
            pipelines: self.pipelines.get(),
            scopes: self.scopes.get(),
            buffers: self.buffers.get(),
            read_backs: self.read_backs.get(),
            bytes_read: self.bytes_read.get(),
            held_bytes: self.held.now.load(Ordering::Relaxed),
            peak_bytes: self.held.most.load(Ordering::Relaxed),
        }
    }
}
