//! Faults that a device reports when nobody is asking: kept until the next call, which returns them.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Error, Result};

/// The error of the driver that a loss showed by, where there was one.
type Source = Option<Arc<dyn StdError + Send + Sync>>;

#[derive(Debug, Default)]
pub(super) struct Faults {
    lost: Mutex<Option<(String, Source)>>,
    uncaptured: Mutex<Option<Box<dyn StdError + Send + Sync>>>,
}

impl Faults {
    pub(super) fn set_lost(&self, reason: String, source: Source) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some((reason, source));
    }

    pub(super) fn set_uncaptured(&self, error: impl StdError + Send + Sync + 'static) {
        *self.uncaptured.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(error));
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns what went wrong since the last call. A loss stays; another fault is reported once.
    pub(super) fn check(&self, operation: &str) -> Result<()> {
        if let Some((reason, source)) = self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(Error::DeviceLost { reason, source });
        }
        match self.uncaptured.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => {
                let (operation, reason) = (operation.to_string(), error.to_string());
                Err(Error::Device { operation, reason, source: Some(error) })
            }
            None => Ok(()),
        }
    }
}
