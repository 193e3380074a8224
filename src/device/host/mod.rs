//! The host as a device: its processor runs the host forms of kernels, on memory of its own.

mod binding;
mod forms;
mod launch;
mod memory;
mod queue;
mod reading;
mod threads;

use std::sync::Arc;

use bytemuck::Pod;

use self::queue::Queue;
use super::capabilities::{Capabilities, Profile};
use super::counters::Counters;
use super::faults::Faults;
use crate::Result;

pub(super) use binding::bind;
pub(crate) use forms::{HostForm, call};
pub use forms::{OwnForm, Words};
pub(super) use launch::{Command, Look, Place, Work};
pub(super) use memory::Memory;
pub(crate) use queue::Lane;
pub(super) use reading::{Reading, Submission};
pub(crate) use threads::{each_chunk, each_item, thread_count, with_threads};

/// The host with its queue of commands.
pub(super) struct Host {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    placeholder: Memory,
}

impl Host {
    /// # Errors
    /// [`crate::Error::InvalidOption`] for an `OPNORM_THREADS` that is no number of threads.
    pub(super) fn new() -> Result<Self> {
        threads::asked()?;
        let faults = Arc::new(Faults::default());
        let placeholder = Memory::zeros("placeholder", 16)?;
        Ok(Self { queue: Arc::new(Queue::new(faults, Lane::Wide)), counters: Arc::default(), placeholder })
    }

    /// The same host with a queue of its own.
    #[cfg(any(test, feature = "io"))]
    pub(super) fn lane(&self, lane: Lane) -> Result<Self> {
        let queue = Arc::new(Queue::new(Arc::clone(self.queue.faults()), lane));
        // A launch locks what it binds, so that a placeholder of several queues would make them take turns.
        Ok(Self { queue, counters: Arc::clone(&self.counters), placeholder: Memory::zeros("placeholder", 16)? })
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    pub(super) fn placeholder(&self) -> &Memory {
        &self.placeholder
    }

    pub(super) fn check(&self, operation: &str) -> Result<()> {
        self.queue.faults().check(operation)
    }

    /// Hands commands to the queue.
    pub(super) fn submit(&self, commands: Vec<Command>, submitted: &Submission) -> Result<()> {
        self.check("submit")?;
        submitted.set();
        self.counters.submits.add(1);
        self.counters.dispatches.add(commands.iter().filter(|command| command.is_launch()).count() as u64);
        self.queue.submit(commands);
        Ok(())
    }

    /// Zeroed memory of so many bytes.
    pub(super) fn zeros(&self, operation: &str, bytes: u64) -> Result<Memory> {
        self.check(operation)?;
        let memory = Memory::zeros(operation, bytes)?;
        self.counters.buffers.add(1);
        Ok(memory)
    }

    /// Copies bytes over memory, before anything submitted later.
    pub(super) fn write(&self, operation: &str, memory: &Memory, offset: u64, data: &[u8]) -> Result<()> {
        self.check(operation)?;
        self.queue.write(operation, memory, offset as usize, data)
    }

    /// Waits for the contents of a reading, once its recorder was submitted.
    pub(super) async fn contents<T: Pod>(&self, reading: Reading) -> Result<Vec<T>> {
        reading.contents(self.queue.faults(), &self.counters).await
    }

    /// Waits until everything submitted so far is done.
    pub(super) fn wait(&self) -> Result<()> {
        self.queue.wait();
        self.check("wait for the device")
    }
}

/// The limits of the host, and the tuning of kernels for it.
pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        name: "host".to_string(),
        backend: "host".to_string(),
        driver: format!("{} threads", thread_count()),
        software: true,
        profile: Profile::HOST,
        loop_budget: u32::MAX,
        // Half of the addresses of a 64-bit process; an allocation may well fail before.
        binding_bytes: 1 << 46,
        buffer_bytes: 1 << 46,
        texture_bytes: 0,
        offset_alignment: 4,
        bindings: 16,
        immediate_bytes: 256,
        groups_per_dimension: 65_535,
    }
}
