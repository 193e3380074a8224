//! Calls to the driver whose refusal is an error.

use super::device::Gpu;
use super::foreign;
use super::scope::scoped;
use crate::{Error, Result};

/// Runs one call to the driver so that a refusal is an error here and never a panic elsewhere.
pub(super) fn guarded<T>(gpu: &Gpu, operation: &str, call: impl FnOnce() -> T) -> Result<T> {
    match scoped(gpu.device(), call) {
        (result, None) => Ok(result),
        (_, Some(wgpu::Error::OutOfMemory { .. })) => {
            Err(Error::OutOfMemory { operation: operation.to_string(), bytes: 0 })
        }
        (_, Some(error)) => {
            let reason = error.to_string();
            gpu.check(operation)?;
            if let Some(error) = foreign::blame(operation, &reason) {
                return Err(error);
            }
            // Nothing invalid leaves these scopes, but a lost device makes invalid things without an error. Such a
            // device takes a submission that no wait finds.
            let (submission, _) = scoped(gpu.device(), || gpu.queue().submit([]));
            gpu.wait_for(Some(submission))?;
            Err(Error::Device { operation: operation.to_string(), reason, source: Some(Box::new(error)) })
        }
    }
}
