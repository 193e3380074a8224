//! Faults that the driver reports when nobody is asking: kept until the next call, which returns them.

use std::sync::{Arc, Mutex, PoisonError};

use super::trial;
use crate::{Error, Result};

/// The error of the driver that a loss showed by, where there was one.
type Source = Option<Arc<dyn std::error::Error + Send + Sync>>;

#[derive(Debug, Default)]
pub(super) struct Faults {
    lost: Mutex<Option<(String, Source)>>,
    uncaptured: Mutex<Option<wgpu::Error>>,
}

impl Faults {
    /// Installs the handlers of a device that this library made; the default handler would panic.
    pub(super) fn watch(device: &wgpu::Device) -> Arc<Self> {
        let faults = Arc::new(Self::default());
        let lost = Arc::clone(&faults);
        device.set_device_lost_callback(move |reason, message| {
            lost.set_lost(format!("{reason:?}: {message}"), None);
        });
        let uncaptured = Arc::clone(&faults);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            if trial::is_trying() {
                return;
            }
            *uncaptured.uncaptured.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }));
        faults
    }

    pub(super) fn set_lost(&self, reason: String, source: Source) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some((reason, source));
    }

    /// Returns what went wrong since the last call. A loss stays; another fault is reported once.
    pub(super) fn check(&self, operation: &str) -> Result<()> {
        if let Some((reason, source)) = self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(Error::DeviceLost { reason, source });
        }
        match self.uncaptured.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(Error::Device {
                operation: operation.to_string(),
                reason: error.to_string(),
                source: Some(Box::new(error)),
            }),
            None => Ok(()),
        }
    }
}
