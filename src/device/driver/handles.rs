//! Handles of `wgpu` in and out: a device that a program has already, and the handles underneath a `Device`.

use std::sync::Arc;

use futures::channel::oneshot;

use super::Driver;
use super::{adapters, foreign};
use crate::device::handle::{Device, Kind};
use crate::device::open::checked_by_environment;
use crate::{Error, Result};

impl Device {
    /// Uses a device and queue that a program has already; waits for what was submitted to them.
    ///
    /// The device keeps its owner's handlers for loss and uncaptured errors. Everything this library makes on it is
    /// made inside error scopes, so nothing of it reaches them; a lost device shows as [`Error::DeviceLost`].
    ///
    /// # Errors
    /// [`Error::UnsuitableDevice`] when the device was made without [`Device::required_features`] or with limits that
    /// are too small; [`Error::UnsuitableHandle`] when the queue is another device's; [`Error::DeviceLost`],
    /// [`Error::Timeout`].
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        if let Some(missing) = adapters::lacks(device.features(), &device.limits()) {
            return Err(Error::UnsuitableDevice { missing });
        }
        foreign::expect_queue(&device, &queue)?;
        let capabilities = adapters::capabilities(&device.adapter_info(), &device.limits());
        let driver = Driver::new((device, queue), Arc::default(), true, checked_by_environment());
        Ok(Self::assemble(Kind::Driver(driver), capabilities))
    }

    /// [`Device::from_wgpu`] without blocking the thread while the device finishes what was submitted to it.
    ///
    /// # Errors
    /// As [`Device::from_wgpu`].
    pub async fn from_wgpu_async(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || sender.send(Self::from_wgpu(device, queue)));
        let gone = |_| Error::DeviceLost { reason: "the thread that waited for it ended".to_string(), source: None };
        receiver.await.map_err(gone)?
    }

    /// The features that [`Device::from_wgpu`] needs a device to have.
    pub fn required_features() -> wgpu::Features {
        adapters::required_features()
    }

    /// The limits to request of an adapter for [`Device::from_wgpu`]: all that it has.
    pub fn required_limits(adapter: &wgpu::Adapter) -> wgpu::Limits {
        adapter.limits()
    }

    /// The device underneath; `None` on the host.
    pub fn wgpu_device(&self) -> Option<&wgpu::Device> {
        self.driver().map(|driver| &driver.device)
    }

    /// The queue underneath; `None` on the host.
    pub fn wgpu_queue(&self) -> Option<&wgpu::Queue> {
        self.driver().map(|driver| &driver.queue)
    }

    fn driver(&self) -> Option<&Driver> {
        match self.kind() {
            Kind::Driver(driver) => Some(driver),
            Kind::Host(_) => None,
        }
    }
}
