//! Faults that a device reports when nobody is asking: kept until the next call, which returns them.

use std::sync::{Mutex, PoisonError};

use crate::{Error, Result};

#[derive(Debug, Default)]
pub(super) struct Faults {
    lost: Mutex<Option<String>>,
    uncaptured: Mutex<Option<String>>,
}

impl Faults {
    pub(super) fn set_lost(&self, reason: String) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(super) fn set_uncaptured(&self, reason: String) {
        *self.uncaptured.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns what went wrong since the last call. A loss stays; another fault is reported once.
    pub(super) fn check(&self, operation: &str) -> Result<()> {
        if let Some(reason) = self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(Error::DeviceLost { reason });
        }
        match self.uncaptured.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(reason) => Err(Error::Device { operation: operation.to_string(), reason }),
            None => Ok(()),
        }
    }
}
