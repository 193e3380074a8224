//! The devices of the rows.

use std::sync::OnceLock;

use opnorm::Device;
use opnorm::device::{DeviceOptions, Profile};

use crate::is_full;

/// A way to run the kernels on the adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    SoftwareTrusted,
    SoftwareChecked,
    HardwareTrusted,
    HardwareChecked,
    /// A binding limit of 16 KiB, which cuts small matrices into panels.
    SoftwarePanels,
    HardwarePanels,
    /// Matrices in textures.
    SoftwareTextures,
    /// Matrices in textures, which a binding limit cuts into panels.
    HardwareTextures,
}

impl Setup {
    /// The device of the set-up, made once in a process.
    pub fn device(self) -> &'static Device {
        static GPUS: [OnceLock<Device>; 8] = [const { OnceLock::new() }; 8];
        GPUS[self as usize].get_or_init(|| {
            let software = !matches!(
                self,
                Self::HardwareTrusted | Self::HardwareChecked | Self::HardwarePanels | Self::HardwareTextures
            );
            let options = DeviceOptions {
                profile: Some(if software { Profile::SOFTWARE } else { Profile::HARDWARE }),
                checked: Some(matches!(
                    self,
                    Self::SoftwareChecked | Self::HardwareChecked | Self::HardwarePanels | Self::HardwareTextures
                )),
                binding_bytes: self.has_panels().then_some(16 << 10),
                textures: Some(matches!(self, Self::SoftwareTextures | Self::HardwareTextures)),
                ..DeviceOptions::default()
            };
            Device::open(&options).unwrap()
        })
    }

    pub fn has_panels(self) -> bool {
        matches!(self, Self::SoftwarePanels | Self::HardwarePanels | Self::HardwareTextures)
    }

    /// Whether another set-up is the same: the host has one tuning, and keeps its checks.
    pub fn is_repeated(self) -> bool {
        self.device().is_host() && !matches!(self, Self::SoftwareTrusted | Self::SoftwarePanels)
    }

    /// Whether the sizes past the limits of loops and groups run too. One set-up is enough, because checked shaders
    /// change nothing there; fewer lanes loop more often.
    pub fn runs_long(self) -> bool {
        self == Self::SoftwareTrusted || self == Self::HardwareTrusted && is_full()
    }
}
