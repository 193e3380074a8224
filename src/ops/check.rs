//! The checks of operations before any recording.

use crate::device::Recorder;
use crate::tensor::{Matrix, Storage};
use crate::{Error, Result};

/// A size in the integer type of shaders.
pub(super) fn word(operation: &'static str, what: &str, size: usize) -> Result<u32> {
    u32::try_from(size).map_err(|_| Error::TooLarge {
        operation,
        what: what.to_string(),
        needed: size as u64,
        limit: u64::from(u32::MAX),
        advice: "split the work into smaller batches",
    })
}

pub(super) fn expect(operation: &'static str, role: &str, expected: &[usize], found: &[usize]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: format!("{role} of shape {expected:?}"),
        found: format!("{found:?}"),
    })
}

/// Refuses an invocation with more loop trips than the device's budget.
pub(super) fn expect_trips(
    recorder: &Recorder,
    operation: &'static str,
    trips: usize,
    advice: &'static str,
) -> Result<()> {
    let budget = recorder.device().capabilities().loop_budget as usize;
    if trips <= budget {
        return Ok(());
    }
    Err(Error::TooLarge {
        operation,
        what: "a sum, in loop trips,".to_string(),
        needed: trips as u64,
        limit: budget as u64,
        advice,
    })
}

/// Refuses a buffer that is shorter than the kernel's data.
pub(super) fn expect_len(operation: &'static str, role: &str, needed: usize, found: usize) -> Result<()> {
    if found >= needed {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: format!("{role} of at least {needed} elements"),
        found: format!("{found}"),
    })
}

/// Refuses a matrix in another storage than `f32`.
pub(super) fn expect_f32(operation: &'static str, matrix: &Matrix) -> Result<()> {
    if matrix.storage() == Storage::F32 {
        return Ok(());
    }
    Err(Error::InvalidOption {
        operation,
        option: "the storage of a matrix",
        value: format!("{:?}", matrix.storage()),
        allowed: "F32",
    })
}
