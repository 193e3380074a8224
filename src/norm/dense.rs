//! The Frobenius, 1- and inf-norm of a matrix: one pass over its entries.

use crate::Result;
use crate::device::{Buffer, Device, Recorder};
use crate::ops::{self, RowLayout};
use crate::tensor::screen::{Screen, scale_by_power};
use crate::tensor::{Matrix, Storage};

/// The Frobenius norm √(Σ aᵢⱼ²) of each matrix of a batch; NaN where an entry is not finite.
///
/// No square overflows or underflows, because matrices outside 2^±40 are held scaled, and the last level of the sum is
/// `f64`. A norm above the range of `f64` is infinite, as for two entries 1.7e308.
///
/// *Accuracy*  relative error <= gamma(260), u = 2^-23: at most 3.2e-5, and about 1e-8 as a rule.
///
/// ```
/// use opnorm::{Device, Matrix, norm::frobenius_norm};
/// let matrix = Matrix::from_slice(&Device::new()?, 1, 2, &[3e38, 3e38])?;
/// assert!((frobenius_norm(&matrix)?[0] / (3e38 * 2f64.sqrt()) - 1.0).abs() < 1e-6);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::TooLarge`], [`crate::Error::DeviceLost`].
pub fn frobenius_norm(matrix: &Matrix) -> Result<Vec<f64>> {
    matrix.device().block_on(frobenius_norm_async(matrix))
}

async fn frobenius_norm_async(matrix: &Matrix) -> Result<Vec<f64>> {
    Ok(scaled(matrix, held_frobenius(matrix).await?))
}

/// The Frobenius norm of 2^-exponent times each matrix, as the device holds the matrix; NaN where an entry is not
/// finite.
pub(super) async fn held_frobenius(matrix: &Matrix) -> Result<Vec<f64>> {
    let device = matrix.device();
    let mut squares = vec![0.0; matrix.batch()];
    for panel in matrix.panels() {
        let mut recorder = device.recorder();
        let count = ops::panel_segments(device, panel, matrix.quads()).count;
        let output = Buffer::zeros(device, "square_sums", panel.place.items.len() * count)?;
        ops::square_sums(
            &mut recorder,
            panel,
            RowLayout { storage: matrix.storage(), quads: matrix.quads() },
            &output,
        )?;
        let sums = recorder.read(&output)?;
        recorder.submit()?;
        let sums = sums.contents().await?;
        for (item, segments) in panel.place.items.clone().zip(sums.chunks_exact(count)) {
            squares[item] += segments.iter().map(|sum| f64::from(*sum)).sum::<f64>();
        }
    }
    Ok(finite(matrix, squares.into_iter().map(f64::sqrt)))
}

/// The gradient A / ‖A‖_F of the Frobenius norm of each matrix of a batch.
///
/// The gradient of a zero matrix is zero, the subgradient of least norm. The gradient is NaN where an entry is not
/// finite, or where the norm is above the range of `f64`.
///
/// # Errors
/// As [`frobenius_norm`].
pub fn frobenius_norm_gradient(matrix: &Matrix) -> Result<Matrix> {
    // The device holds 2^-e A, and 2^-e ‖A‖ is within the range of f32.
    let norms = matrix.device().block_on(held_frobenius(matrix))?;
    let factor = |item: usize| {
        let norm = norms[item];
        let factor = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        [factor as f32, 1.0]
    };
    let factors: Vec<_> = (0..matrix.batch()).map(factor).collect();
    let device = matrix.device();
    let factors = Buffer::from_slice(device, "frobenius_norm_gradient", &factors)?;
    let shape = (matrix.batch(), matrix.rows(), matrix.cols());
    // Entries are 0, of about unit size, or NaN.
    let like = |norm: &f64| Screen::like(if norm.is_finite() && *norm > 0.0 { 1.0 } else { *norm });
    let screens = norms.iter().map(like).collect();
    let gradient = Matrix::allocate(device, shape, Storage::F32, screens)?;
    let mut recorder = device.recorder();
    ops::decode(&mut recorder, matrix, &factors, &gradient)?;
    recorder.submit()?;
    gradient.fill_non_finite()?;
    Ok(gradient)
}

/// The 1-norm of each matrix of a batch: the largest sum of magnitudes of a column.
///
/// The norm is NaN where an entry is not finite, and infinite where the norm is above the range of `f64`.
///
/// ```
/// use opnorm::{Device, Matrix, norm::{infinity_norm, one_norm}};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[1.0, -2.0, 3.0, 4.0])?;
/// assert_eq!(one_norm(&matrix)?, [6.0]);
/// assert_eq!(infinity_norm(&matrix)?, [7.0]);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::TooLarge`], [`crate::Error::DeviceLost`].
pub fn one_norm(matrix: &Matrix) -> Result<Vec<f64>> {
    Ok(scaled(matrix, matrix.device().block_on(held_one(matrix))?))
}

/// The 1-norm of each matrix as the device holds the matrix; NaN where an entry is not finite.
pub(super) async fn held_one(matrix: &Matrix) -> Result<Vec<f64>> {
    let sums = |recorder: &mut Recorder, device: &Device| {
        let count = ops::column_segments(recorder, matrix);
        let output = Buffer::zeros(device, "column_abs_sums", count * matrix.batch() * matrix.cols())?;
        ops::column_abs_sums(recorder, matrix, &output)?;
        Ok((output, count))
    };
    largest_sum(matrix, matrix.cols(), sums).await
}

/// The inf-norm of each matrix of a batch: the largest sum of magnitudes of a row.
///
/// The norm is NaN where an entry is not finite, and infinite where the norm is above the range of `f64`.
///
/// # Errors
/// As [`one_norm`].
pub fn infinity_norm(matrix: &Matrix) -> Result<Vec<f64>> {
    Ok(scaled(matrix, matrix.device().block_on(held_infinity(matrix))?))
}

/// The inf-norm of each matrix as the device holds the matrix; NaN where an entry is not finite.
pub(super) async fn held_infinity(matrix: &Matrix) -> Result<Vec<f64>> {
    let sums = |recorder: &mut Recorder, device: &Device| {
        let count = ops::Segments::for_lane(matrix.quads()).count;
        let output = Buffer::zeros(device, "row_abs_sums", count * matrix.batch() * matrix.rows())?;
        ops::row_abs_sums(recorder, matrix, &output)?;
        Ok((output, count))
    };
    largest_sum(matrix, matrix.rows(), sums).await
}

async fn largest_sum(
    matrix: &Matrix,
    length: usize,
    sums: impl FnOnce(&mut Recorder, &Device) -> Result<(Buffer<f32>, usize)>,
) -> Result<Vec<f64>> {
    if matrix.panels().is_empty() {
        return Ok(vec![0.0; matrix.batch()]);
    }
    let mut recorder = matrix.device().recorder();
    let (output, segments) = sums(&mut recorder, matrix.device())?;
    let parts = recorder.read(&output)?;
    recorder.submit()?;
    let parts = parts.contents().await?;
    let total = |index: usize| -> f64 {
        (0..segments).map(|segment| f64::from(parts[segment * matrix.batch() * length + index])).sum()
    };
    let largest =
        (0..matrix.batch()).map(|item| (0..length).map(|place| total(item * length + place)).fold(0.0, f64::max));
    Ok(finite(matrix, largest))
}

/// Norms, and NaN for matrices with entries that are not finite.
// The host tests for NaN because no device promises a result for NaN.
fn finite(matrix: &Matrix, norms: impl Iterator<Item = f64>) -> Vec<f64> {
    let of = |(item, norm): (usize, f64)| if matrix.non_finite(item).is_some() { f64::NAN } else { norm };
    norms.enumerate().map(of).collect()
}

/// Norms in units of the matrix, from norms in units of the device.
pub(super) fn scaled(matrix: &Matrix, held: Vec<f64>) -> Vec<f64> {
    held.into_iter().enumerate().map(|(item, norm)| scale_by_power(norm, matrix.exponent(item))).collect()
}
