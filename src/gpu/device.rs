//! The device with its queue, its limits, and what was found out and made for it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::capabilities::Capabilities;
use super::counters::{Counter, Counters, Totals};
use super::facts::Facts;
use super::faults::Faults;
use crate::Result;

/// A device, shared by its clones.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// The number of this `Gpu` among all.
    id: u64,
    /// Whether the device was handed in, so that another `Gpu` may be of the same.
    handed_in: bool,
    capabilities: Capabilities,
    checked: bool,
    faults: Arc<Faults>,
    counters: Counters,
    /// Bound where a kernel is to read nothing.
    placeholder: wgpu::Buffer,
    facts: Facts,
}

impl Gpu {
    pub(super) fn assemble(
        (device, queue): (wgpu::Device, wgpu::Queue),
        capabilities: Capabilities,
        checked: bool,
        faults: Arc<Faults>,
        handed_in: bool,
    ) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let id = COUNT.fetch_add(1, Ordering::Relaxed);
        let placeholder = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("placeholder"),
            size: 16,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let inner = Inner {
            device,
            queue,
            id,
            handed_in,
            capabilities,
            checked,
            faults,
            counters: Counters::default(),
            placeholder,
            facts: Facts::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The number of this `Gpu` among all, and whether another may be of the same device.
    pub(super) fn identity(&self) -> (u64, bool) {
        (self.inner.id, self.inner.handed_in)
    }

    /// The limits of this device, and the tuning of kernels for it.
    pub fn capabilities(&self) -> &Capabilities {
        &self.inner.capabilities
    }

    /// Whether shaders keep their run-time bounds checks.
    pub fn is_checked(&self) -> bool {
        self.inner.checked
    }

    /// The device underneath.
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// The queue underneath.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    /// The work that the device was asked to do so far.
    pub fn totals(&self) -> Totals {
        self.inner.counters.totals()
    }

    /// Returns a fault that the driver reported since the last call.
    ///
    /// # Errors
    /// [`crate::Error::DeviceLost`] from the loss on; [`crate::Error::Device`] once for any other fault.
    pub fn check(&self, operation: &str) -> Result<()> {
        // A device that was destroyed tells its handler no sooner than at a poll, which does not wait here.
        let _ = self.device().poll(wgpu::PollType::Poll);
        self.inner.faults.check(operation)
    }

    /// Facts about this device, one of each type, kept as long as the device: findings, pipelines, idle memory.
    pub(crate) fn facts(&self) -> &Facts {
        &self.inner.facts
    }

    /// Memory to bind where a kernel is to read nothing.
    pub(super) fn raw_placeholder(&self) -> &wgpu::Buffer {
        &self.inner.placeholder
    }

    pub(super) fn faults(&self) -> &Arc<Faults> {
        &self.inner.faults
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// The number of host steps recorded so far.
    pub(super) fn host_steps(&self) -> &Counter {
        &self.inner.counters.host_steps
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gpu").field("capabilities", &self.inner.capabilities).finish_non_exhaustive()
    }
}
