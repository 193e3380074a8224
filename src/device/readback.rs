//! Contents of a buffer on their way to the host.

use std::marker::PhantomData;

use bytemuck::Pod;

use super::handle::{Device, Kind};
use super::{driver, host};
use crate::{Error, Result};

/// Contents of a buffer on their way to the host.
///
/// Several read-backs may be under way at once. Each waits for the submission that it was recorded in, and for none
/// after it.
#[derive(Debug)]
#[must_use = "contents that nobody waits for were copied in vain"]
pub struct ReadBack<T> {
    device: Device,
    reading: Reading,
    element: PhantomData<T>,
}

/// A reading of either kind of device.
#[derive(Debug)]
pub(super) enum Reading {
    Driver(driver::Reading),
    Host(host::Reading),
}

impl<T: Pod> ReadBack<T> {
    pub(super) fn new(device: &Device, reading: Reading) -> Self {
        Self { device: device.clone(), reading, element: PhantomData }
    }

    /// Waits for the contents without blocking the thread.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] where the recorder was not submitted; [`Error::Timeout`], [`Error::DeviceLost`],
    /// [`Error::Device`].
    pub async fn contents(self) -> Result<Vec<T>> {
        let is_submitted = match &self.reading {
            Reading::Driver(reading) => reading.is_submitted(),
            Reading::Host(reading) => reading.is_submitted(),
        };
        if !is_submitted {
            return Err(Error::InvalidOption {
                operation: "read back",
                option: "the recorder",
                value: "not submitted".to_string(),
                allowed: "submitted before its read-backs are waited for",
            });
        }
        match (self.reading, self.device.kind()) {
            (Reading::Driver(reading), Kind::Driver(driver)) => reading.contents(driver).await,
            (Reading::Host(reading), Kind::Host(host)) => host.contents(reading).await,
            _ => unreachable!("a recorder makes readings of its device"),
        }
    }

    /// Waits for the contents.
    ///
    /// # Errors
    /// As [`ReadBack::contents`].
    pub fn wait(self) -> Result<Vec<T>> {
        let device = self.device.clone();
        device.block_on(self.contents())
    }
}
