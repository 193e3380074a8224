//! The device with its limits, and what was found out and made for it.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::capabilities::Capabilities;
use super::counters::{Counter, Counters, Totals};
use super::driver::{self, Driver};
use super::facts::Facts;
use super::host::Host;
#[cfg(any(test, feature = "io"))]
use super::host::Lane;
use crate::Result;

/// A device, shared by its clones.
#[derive(Clone)]
pub struct Device {
    inner: Arc<Inner>,
}

struct Inner {
    kind: Kind,
    /// The number of this `Device` among all.
    id: u64,
    capabilities: Capabilities,
    /// Whether matrices are uploaded as textures, once that is decided.
    textures: OnceLock<bool>,
    facts: Arc<Facts>,
    /// Facts that the lanes of a device do not share.
    own: Facts,
}

/// The kind of a device.
#[expect(clippy::large_enum_variant, reason = "a device has one kind, and shares it")]
pub(super) enum Kind {
    /// A device that `wgpu` drives.
    Driver(Driver),
    /// The host.
    Host(Host),
}

impl Device {
    pub(super) fn assemble(kind: Kind, capabilities: Capabilities) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let id = COUNT.fetch_add(1, Ordering::Relaxed);
        let textures = OnceLock::new();
        let (facts, own) = (Arc::default(), Facts::default());
        Self { inner: Arc::new(Inner { kind, id, capabilities, textures, facts, own }) }
    }

    /// The same device for one thread of several that use it at once: on the host, with a queue of its own.
    ///
    /// Commands of different lanes are in no order. A lane's memory is for one lane at a time: whoever takes it to
    /// another waits for the first.
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`]
    #[cfg(any(test, feature = "io"))]
    pub(crate) fn lane(&self, lane: Lane) -> Result<Self> {
        let Kind::Host(host) = self.kind() else { return Ok(self.clone()) };
        let (kind, id, capabilities) = (Kind::Host(host.lane(lane)?), self.inner.id, self.capabilities().clone());
        let facts = Arc::clone(&self.inner.facts);
        let (textures, own) = (OnceLock::new(), Facts::default());
        Ok(Self { inner: Arc::new(Inner { kind, id, capabilities, textures, facts, own }) })
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.inner.kind
    }

    /// The number of this `Device` among all, and whether another may be of the same device.
    pub(super) fn identity(&self) -> (u64, bool) {
        let handed_in = matches!(self.kind(), Kind::Driver(driver) if driver.handed_in);
        (self.inner.id, handed_in)
    }

    /// The limits of this device, and the tuning of kernels for it.
    pub fn capabilities(&self) -> &Capabilities {
        &self.inner.capabilities
    }

    /// Whether the device is the host: its processor runs kernels natively, without a driver.
    pub fn is_host(&self) -> bool {
        matches!(self.kind(), Kind::Host(_))
    }

    /// Whether kernels keep their run-time bounds checks; those of the host always do.
    pub fn is_checked(&self) -> bool {
        match self.kind() {
            Kind::Driver(driver) => driver.checked,
            Kind::Host(_) => true,
        }
    }

    /// Whether matrices of `f32` are uploaded as textures: a software adapter may read these several times as fast.
    pub fn uses_textures(&self) -> bool {
        self.inner.textures.get() == Some(&true)
    }

    /// Decides once whether matrices are uploaded as textures.
    pub(super) fn use_textures(&self, textures: bool) {
        let _ = self.inner.textures.set(textures); // set nowhere else
    }

    /// The work that the device was asked to do so far.
    pub fn totals(&self) -> Totals {
        self.counters().totals()
    }

    /// Returns a fault that the device reported since the last call.
    ///
    /// # Errors
    /// [`crate::Error::DeviceLost`] from the loss on; [`crate::Error::Device`] once for any other fault.
    pub fn check(&self, operation: &str) -> Result<()> {
        match self.kind() {
            Kind::Driver(driver) => driver.check(operation),
            Kind::Host(host) => host.check(operation),
        }
    }

    /// Runs a future of this library to its end on this thread, which drives the device meanwhile.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        driver::block_on(future)
    }

    /// Waits until the device has done all that was submitted.
    ///
    /// # Errors
    /// [`crate::Error::Timeout`], [`crate::Error::DeviceLost`].
    pub fn poll_until_idle(&self) -> Result<()> {
        match self.kind() {
            Kind::Driver(driver) => driver.wait_for(None),
            Kind::Host(host) => host.wait(),
        }
    }

    /// Facts about this device, one of each type, kept as long as the device.
    pub(crate) fn facts(&self) -> &Facts {
        &self.inner.facts
    }

    /// Facts about this lane of the device: idle memory, which goes from one command of a queue to a later one.
    pub(super) fn facts_of_lane(&self) -> &Facts {
        &self.inner.own
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        match self.kind() {
            Kind::Driver(driver) => driver.counters(),
            Kind::Host(host) => host.counters(),
        }
    }

    /// The number of host steps recorded so far.
    pub(super) fn host_steps(&self) -> &Counter {
        &self.counters().host_steps
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Device").field("capabilities", &self.inner.capabilities).finish_non_exhaustive()
    }
}
