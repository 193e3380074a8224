//! Copies of a matrix as `f32`.

use crate::Result;
use crate::gpu::Buffer;
use crate::ops::decode;
use crate::tensor::screen::{Screen, power};
use crate::tensor::{Matrix, Storage};

impl Matrix {
    /// The same entries stored as `f32`, which holds every entry of another storage exactly.
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

/// A copy of a matrix with each item divided by the power of two that its screen asks for, as `f32`.
///
/// The same bits as [`Matrix::upload`] makes of the same entries on the host: exact where the power is below 1 or the
/// quotient is an `f32`; else an entry is off by at most 2^-150 of what is held.
pub(super) fn rescaled(matrix: &Matrix, screens: Vec<Screen>) -> Result<Matrix> {
    let gpu = matrix.gpu();
    let halves = |screen: &Screen| {
        let exponent = -screen.exponent();
        // The entries are f32, so that each half of the exponent is one of a normal number.
        let half = exponent / 2;
        [power(half), power(exponent - half)].map(|power| power as f32)
    };
    let factors: Vec<_> = screens.iter().map(halves).collect();
    let factors = Buffer::from_slice(gpu, "decode", &factors)?;
    let shape = (matrix.batch(), matrix.rows(), matrix.cols());
    let output = Matrix::allocate(gpu, shape, Storage::F32, screens)?;
    let mut recorder = gpu.recorder();
    decode(&mut recorder, matrix, &factors, &output)?;
    recorder.submit()?;
    Ok(output)
}
