//! Copies of a matrix as `f32`.

use crate::Result;
use crate::device::Buffer;
use crate::ops::decode;
use crate::tensor::screen::{Screen, power};
use crate::tensor::{Matrix, Storage};

impl Matrix {
    /// The same entries stored as `f32`, exactly.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn to_f32(&self) -> Result<Self> {
        if self.storage() == Storage::F32 {
            return Ok(self.clone());
        }
        rescaled(self, self.screens().to_vec())
    }
}

/// A copy of a matrix as `f32`, with each item divided by the power of two of its screen.
///
/// The copy has the bits of a [`Matrix::upload`] of the same entries. Entries are exact where the power is below 1 or
/// the quotient is an `f32`; else an entry is off by at most 2^-150 of the held matrix.
pub(super) fn rescaled(matrix: &Matrix, screens: Vec<Screen>) -> Result<Matrix> {
    let device = matrix.device();
    let halves = |screen: &Screen| {
        let exponent = -screen.exponent();
        // Half exponents, because the entries are f32 and each half is then the exponent of a normal number.
        let half = exponent / 2;
        [power(half), power(exponent - half)].map(|power| power as f32)
    };
    let factors: Vec<_> = screens.iter().map(halves).collect();
    let factors = Buffer::from_slice(device, "decode", &factors)?;
    let shape = (matrix.batch(), matrix.rows(), matrix.cols());
    let output = Matrix::allocate(device, shape, Storage::F32, screens)?;
    let mut recorder = device.recorder();
    decode(&mut recorder, matrix, &factors, &output)?;
    recorder.submit()?;
    Ok(output)
}
