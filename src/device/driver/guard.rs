//! Calls to the driver whose refusal is an error.

use super::Driver;
use super::foreign;
use crate::{Error, Result};

impl Driver {
    /// Runs one call to the driver so that a refusal is an error here and never a panic elsewhere.
    pub(super) fn guarded<T>(&self, operation: &str, call: impl FnOnce() -> T) -> Result<T> {
        match self.scoped(call) {
            (result, None) => Ok(result),
            (_, Some(wgpu::Error::OutOfMemory { .. })) => {
                Err(Error::OutOfMemory { operation: operation.to_string(), bytes: 0 })
            }
            (_, Some(error)) => {
                let reason = error.to_string();
                self.check(operation)?;
                if let Some(error) = foreign::blame(operation, &reason) {
                    return Err(error);
                }
                // Nothing invalid leaves these scopes, but a lost device makes invalid things without an error. Such a
                // device takes a submission that no wait finds.
                let (submission, _) = self.scoped(|| self.queue.submit([]));
                self.wait_for(Some(submission))?;
                Err(Error::Device { operation: operation.to_string(), reason, source: Some(Box::new(error)) })
            }
        }
    }
}
