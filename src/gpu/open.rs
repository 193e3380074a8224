//! Opening a device: an adapter's, or one that a program has already.

use std::sync::Arc;

use futures::channel::oneshot;

use super::adapter::{self, AdapterRequest};
use super::capabilities::{Capabilities, Profile};
use super::device::Gpu;
use super::faults::Faults;
use super::foreign;
use crate::OpenEnded;
use crate::{Error, Result};

/// The options of opening a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuOptions {
    /// Which adapter.
    pub adapter: AdapterRequest,
    /// Whether shaders keep their run-time bounds checks. `None`: as the environment variable `OPNORM_CHECKED` says
    /// (set and not `0`: checked).
    pub checked: Option<bool>,
    /// The tuning of kernels. `None`: by the kind of the adapter.
    pub profile: Option<Profile>,
    /// A smaller binding limit than the device's, in bytes, to try panels on small matrices.
    pub binding_bytes: Option<u64>,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl Gpu {
    /// Opens the best adapter, or the one that `OPNORM_ADAPTER` names.
    ///
    /// ```
    /// let gpu = opnorm::Gpu::new()?;
    /// println!("{}", gpu.capabilities().name);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoAdapter`] with what was tried and how to install a software adapter; [`Error::NoDevice`].
    pub fn new() -> Result<Self> {
        Self::open(&GpuOptions::default())
    }

    /// Opens the adapter that the options ask for.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::NoDevice`].
    pub fn open(options: &GpuOptions) -> Result<Self> {
        pollster::block_on(Self::open_async(options))
    }

    /// Opens the adapter that the options ask for, without blocking the thread while the driver makes the device.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::NoDevice`].
    pub async fn open_async(options: &GpuOptions) -> Result<Self> {
        let instance = adapter::instance();
        let mut found = adapter::enumerate(&instance);
        let adapter = found.swap_remove(adapter::choose(&options.adapter, &found)?);
        let info = adapter.get_info();
        let request = wgpu::DeviceDescriptor {
            label: Some("opnorm"),
            required_features: adapter::required_features(),
            required_limits: adapter.limits(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) = adapter.request_device(&request).await.map_err(|error| Error::NoDevice {
            adapter: format!("{} ({})", info.name, info.backend.to_str()),
            reason: error.to_string(),
            source: Some(Box::new(error)),
        })?;
        let faults = Faults::watch(&device);
        let mut capabilities = Capabilities::new(&info, &device.limits());
        if let Some(profile) = options.profile {
            capabilities.profile = profile;
        }
        if let Some(bytes) = options.binding_bytes {
            capabilities.binding_bytes = capabilities.binding_bytes.min(bytes);
        }
        let checked = options.checked.unwrap_or_else(checked_by_environment);
        Ok(Self::assemble((device, queue), capabilities, checked, faults, false))
    }

    /// Uses a device and queue that a program has already; waits for what was submitted to them.
    ///
    /// The device keeps its owner's handlers for loss and uncaptured errors. Everything this library makes on it is
    /// made inside error scopes, so nothing of it reaches them; a lost device shows as [`Error::DeviceLost`].
    ///
    /// # Errors
    /// [`Error::UnsuitableDevice`] when the device was made without [`Gpu::required_features`] or with limits that
    /// are too small; [`Error::UnsuitableHandle`] when the queue is another device's; [`Error::DeviceLost`],
    /// [`Error::Timeout`].
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        if let Some(missing) = adapter::lacks(device.features(), &device.limits()) {
            return Err(Error::UnsuitableDevice { missing });
        }
        foreign::expect_queue(&device, &queue)?;
        let capabilities = Capabilities::new(&device.adapter_info(), &device.limits());
        Ok(Self::assemble((device, queue), capabilities, checked_by_environment(), Arc::default(), true))
    }

    /// [`Gpu::from_wgpu`] without blocking the thread while the device finishes what was submitted to it.
    ///
    /// # Errors
    /// As [`Gpu::from_wgpu`].
    pub async fn from_wgpu_async(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || sender.send(Self::from_wgpu(device, queue)));
        let gone = |_| Error::DeviceLost { reason: "the thread that waited for it ended".to_string(), source: None };
        receiver.await.map_err(gone)?
    }

    /// The features that [`Gpu::from_wgpu`] needs a device to have.
    pub fn required_features() -> wgpu::Features {
        adapter::required_features()
    }

    /// The limits to request of an adapter for [`Gpu::from_wgpu`]: all that it has.
    pub fn required_limits(adapter: &wgpu::Adapter) -> wgpu::Limits {
        adapter.limits()
    }
}

fn checked_by_environment() -> bool {
    std::env::var("OPNORM_CHECKED").is_ok_and(|value| !value.is_empty() && value != "0")
}
