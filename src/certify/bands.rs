//! Products on the device, one submit for each band of rows.

use super::gram;
use crate::device::Buffer;
use crate::tensor::Matrix;
use crate::{Result, ops};

/// The number of operations that take about as long as a byte of a product with a vector: 6 GFlop/s against 10 GB/s on
/// a software adapter, far less than a second on hardware.
const OPERATIONS_PER_BYTE: u64 = 8;

/// The least number of rows that are multiplied together: whole tiles of every profile.
const BAND: usize = 24;

/// [`ops::gram`] as the device's prover uses it: in bands.
pub(super) struct DeviceProduct;

impl gram::Product for DeviceProduct {
    fn gram(&self, matrix: &Matrix, factor: f32, tell: &mut dyn FnMut(usize) -> Result<()>) -> Result<Matrix> {
        let device = matrix.device();
        let cols = matrix.cols();
        let factors = Buffer::from_slice(device, "gram", &[factor])?;
        let product = Matrix::zeros(device, 1, cols, cols)?;
        // A few rows a submit, because a driver gives up a device that is busy for seconds, and a caller may want to
        // stop.
        let operations = OPERATIONS_PER_BYTE.saturating_mul(device.capabilities().profile.bytes_per_submit);
        let band = usize::try_from(operations / (2 * matrix.rows() * cols).max(1) as u64).unwrap_or(usize::MAX);
        for first in (0..cols).step_by(band.clamp(BAND, cols.max(BAND))) {
            let rows = first..cols.min(first + band.clamp(BAND, cols.max(BAND)));
            let end = rows.end;
            let mut recorder = device.recorder();
            ops::gram_rows(&mut recorder, matrix, &factors, &product, rows)?;
            recorder.submit()?;
            device.poll_until_idle()?;
            tell(end)?;
        }
        let mut recorder = device.recorder();
        ops::mirror(&mut recorder, &product)?;
        recorder.submit()?;
        Ok(product)
    }

    fn roundings(&self, matrix: &Matrix) -> usize {
        ops::gram_roundings(matrix)
    }

    fn flushed(&self, matrix: &Matrix, largest: f64, factor: f64) -> f64 {
        ops::gram_flushed(matrix, largest, factor)
    }
}
