//! Opening a device: of an adapter, or the host.

use super::adapter::{self, AdapterRequest};
use super::capabilities::Profile;
use super::driver;
use super::handle::{Device, Kind};
use super::host::{self, Host};
use super::textures;
use crate::OpenEnded;
use crate::Result;

/// The options of opening a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceOptions {
    /// Which adapter.
    pub adapter: AdapterRequest,
    /// Whether shaders keep their run-time bounds checks. `None`: as the environment variable `OPNORM_CHECKED` says
    /// (set and not `0`: checked).
    pub checked: Option<bool>,
    /// The tuning of shaders. `None`: by the kind of the adapter. The host has its own, and no other.
    pub profile: Option<Profile>,
    /// A smaller binding limit than the device's, in bytes, to try panels on small matrices.
    pub binding_bytes: Option<u64>,
    /// Whether an adapter's device holds uploaded matrices of `f32` as textures. `None`: as the environment variable
    /// `OPNORM_TEXTURES` says (`0` or `1`), else on software adapters where a short measurement finds textures faster.
    pub textures: Option<bool>,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl Device {
    /// Opens the best device: graphics hardware, else the host; or the device that `OPNORM_ADAPTER` names.
    ///
    /// ```
    /// let device = opnorm::Device::new()?;
    /// println!("{}", device.capabilities().name);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::NoAdapter`] for an `OPNORM_ADAPTER` that names none, with the adapters that were tried;
    /// [`crate::Error::NoDevice`].
    pub fn new() -> Result<Self> {
        Self::open(&DeviceOptions::default())
    }

    /// The host as a device: its processor runs kernels natively, without a driver.
    ///
    /// `OPNORM_THREADS` sets the number of its threads, on which no result depends.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for an `OPNORM_THREADS` that is no number of threads;
    /// [`crate::Error::OutOfMemory`].
    pub fn host() -> Result<Self> {
        Self::open(&DeviceOptions { adapter: AdapterRequest::Host, ..DeviceOptions::default() })
    }

    /// Opens the device that the options ask for.
    ///
    /// # Errors
    /// [`crate::Error::NoAdapter`], [`crate::Error::NoDevice`].
    pub fn open(options: &DeviceOptions) -> Result<Self> {
        pollster::block_on(Self::open_async(options))
    }

    /// Opens the device that the options ask for, without blocking the thread while the driver makes the device.
    ///
    /// # Errors
    /// [`crate::Error::NoAdapter`], [`crate::Error::NoDevice`].
    pub async fn open_async(options: &DeviceOptions) -> Result<Self> {
        let (kind, mut capabilities) = match adapter::choose(&options.adapter)? {
            adapter::Choice::Host => (Kind::Host(Host::new()?), host::capabilities()),
            adapter::Choice::Driver(found) => {
                let checked = options.checked.unwrap_or_else(checked_by_environment);
                let (driver, capabilities) = driver::open(found, checked).await?;
                (Kind::Driver(driver), capabilities)
            }
        };
        if let (Some(profile), Kind::Driver(_)) = (options.profile, &kind) {
            capabilities.profile = profile;
        }
        if let Some(bytes) = options.binding_bytes {
            capabilities.binding_bytes = capabilities.binding_bytes.min(bytes);
        }
        let device = Self::assemble(kind, capabilities);
        if !device.is_host() {
            let textures = match options.textures.or_else(textures_by_environment) {
                Some(textures) => textures,
                None => device.capabilities().software && textures::are_faster(&device).await?,
            };
            device.use_textures(textures);
        }
        Ok(device)
    }
}

pub(super) fn checked_by_environment() -> bool {
    std::env::var("OPNORM_CHECKED").is_ok_and(|value| !value.is_empty() && value != "0")
}

fn textures_by_environment() -> Option<bool> {
    match std::env::var("OPNORM_TEXTURES").ok()?.as_str() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}
