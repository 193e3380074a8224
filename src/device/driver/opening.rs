//! Opening the device of an adapter.

use std::sync::Arc;

use super::adapters::{self, Found};
use super::{Driver, compiled, trial};
use crate::device::Capabilities;
use crate::device::faults::Faults;
use crate::{Error, Result};

/// The device of an adapter, with its limits.
///
/// # Errors
/// [`Error::NoDevice`]
pub(in crate::device) async fn open(found: Found, checked: bool) -> Result<(Driver, Capabilities)> {
    let adapter = found.into_adapter();
    let info = adapter.get_info();
    let request = wgpu::DeviceDescriptor {
        label: Some("opnorm"),
        required_features: adapters::required_features() | adapter.features() & compiled::FEATURE,
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
    let faults = watch(&device);
    let capabilities = adapters::capabilities(&info, &device.limits());
    Ok((Driver::new((device, queue), faults, false, checked), capabilities))
}

/// Installs the handlers of a device that this library made; the default handler would panic.
fn watch(device: &wgpu::Device) -> Arc<Faults> {
    let faults = Arc::new(Faults::default());
    let lost = Arc::clone(&faults);
    device.set_device_lost_callback(move |reason, message| {
        lost.set_lost(format!("{reason:?}: {message}"), None);
    });
    let uncaptured = Arc::clone(&faults);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        if !trial::is_trying() {
            uncaptured.set_uncaptured(error);
        }
    }));
    faults
}
