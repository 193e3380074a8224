//! Self-tests: whether the arithmetic of a device, and of the host, is what the bounds rest on.

mod errors;
mod host;
mod judge;
mod report;
mod triples;

pub(crate) use host::host_violation;
pub use report::ArithmeticReport;

use std::sync::{Mutex, PoisonError};

use crate::device::Buffer;
use crate::{Device, Error, Result, ops};
use judge::judge;
use triples::triples;

/// Finds out how a device rounds; once for each device and its clones.
///
/// ```
/// let device = opnorm::Device::new()?;
/// let report = opnorm::probe::arithmetic(&device)?;
/// assert!(report.upholds_wgsl(), "{:?}", report.violation());
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::DeviceLost`], [`crate::Error::Timeout`], [`crate::Error::Device`].
pub fn arithmetic(device: &Device) -> Result<ArithmeticReport> {
    // Threads that ask at once wait for the one that finds out.
    static FINDING: Mutex<()> = Mutex::new(());
    let known = || device.facts().get::<ArithmeticReport>().map(|report| (*report).clone());
    if let Some(report) = known() {
        return Ok(report);
    }
    let _finding = FINDING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(report) = known() {
        return Ok(report);
    }
    let triples = triples();
    let operation = "probe arithmetic";
    let bits: Vec<[u32; 4]> = triples.iter().map(|[a, b, c]| [a.to_bits(), b.to_bits(), c.to_bits(), 0]).collect();
    let lanes = device.capabilities().profile.lanes as usize;
    let operands = Buffer::from_slice(device, operation, &bits)?;
    let results = Buffer::zeros(device, operation, bits.len())?;
    let lane_sums = Buffer::zeros(device, operation, bits.len().div_ceil(lanes))?;
    let mut recorder = device.recorder();
    ops::arithmetic(&mut recorder, &operands, &results, &lane_sums)?;
    let (results, lane_sums) = (recorder.read(&results)?, recorder.read(&lane_sums)?);
    recorder.submit()?;
    let report = judge(&triples, &results.wait()?, &lane_sums.wait()?, lanes);
    Ok((*device.facts().keep(report)).clone())
}

/// Refuses a thread whose rounding mode is not what the proof takes for granted.
pub(crate) fn expect_host_arithmetic() -> Result<()> {
    match host_violation() {
        None => Ok(()),
        Some(problem) => Err(Error::Arithmetic { adapter: "this thread".to_owned(), problem: problem.to_owned() }),
    }
}

/// Refuses a device that does not compute as the proof takes for granted.
pub(crate) fn expect_arithmetic(device: &Device) -> Result<()> {
    match arithmetic(device)?.violation() {
        None => Ok(()),
        Some(problem) => Err(Error::Arithmetic { adapter: device.capabilities().name.clone(), problem }),
    }
}
