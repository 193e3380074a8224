//! Memory of either kind of device.

use super::driver::{Memory as DriverMemory, Texels};
use super::host::Memory as HostMemory;

/// Memory that a driver or the host holds; clones share it.
#[derive(Clone, Debug)]
pub(super) enum Memory {
    /// Of a device that `wgpu` drives.
    Driver(DriverMemory),
    /// A texture of such a device.
    Texels(Texels),
    /// Of the host.
    Host(HostMemory),
}

impl Memory {
    /// The size in bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Driver(memory) => memory.raw().size(),
            Self::Texels(texels) => texels.raw().bytes,
            Self::Host(memory) => memory.size(),
        }
    }
}
