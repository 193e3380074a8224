//! What the bounds are held against.

use faer::Mat;
use num_bigint::{BigInt, Sign};

use super::Wide;

/// All singular values in `f64`, largest first; relative to the largest, right to about n units in the last place.
pub(crate) fn singular_values(matrix: &Wide) -> Vec<f64> {
    // by a power of two near the largest entry: nothing may overflow or underflow on the way
    let largest = matrix.entries.iter().fold(0f64, |largest, entry| largest.max(entry.abs()));
    let exponent = largest.log2().floor() as i32;
    let half = exponent / 2;
    let scaled = |entry: f64| entry * 2f64.powi(-half) * 2f64.powi(half - exponent);
    let dense = Mat::from_fn(matrix.rows, matrix.cols, |row, col| scaled(matrix.entries[row * matrix.cols + col]));
    let values = dense.singular_values().unwrap();
    values.into_iter().map(|value| value * 2f64.powi(half) * 2f64.powi(exponent - half)).collect()
}

/// Whether `bound` is above the norm of an integer matrix: whether bound² - AᵀA is positive definite, by its leading
/// minors, all of them exact (Bareiss elimination).
pub(crate) fn is_above(bound: f64, entries: &[BigInt], rows: usize, cols: usize) -> bool {
    let (numerator, shift) = dyadic(bound);
    let side = cols;
    let square = &numerator * &numerator;
    let scale = BigInt::from(1) << (2 * shift);
    let mut matrix: Vec<Vec<BigInt>> = (0..side)
        .map(|left| {
            let entry = |right: usize| {
                let dot: BigInt = (0..rows).map(|row| &entries[row * cols + left] * &entries[row * cols + right]).sum();
                let diagonal = if left == right { square.clone() } else { BigInt::ZERO };
                diagonal - dot * &scale
            };
            (0..side).map(entry).collect()
        })
        .collect();
    let mut before = BigInt::from(1);
    for pivot in 0..side {
        if matrix[pivot][pivot].sign() != Sign::Plus {
            return false;
        }
        for row in pivot + 1..side {
            for col in pivot + 1..side {
                let product = &matrix[pivot][pivot] * &matrix[row][col] - &matrix[row][pivot] * &matrix[pivot][col];
                matrix[row][col] = product / &before;
            }
        }
        before = matrix[pivot][pivot].clone();
    }
    true
}

/// (n, s) with value = n / 2^s.
fn dyadic(value: f64) -> (BigInt, u32) {
    let mut shift = 0;
    let mut scaled = value;
    while scaled.fract() != 0.0 {
        scaled *= 2.0;
        shift += 1;
    }
    (BigInt::from(scaled as i128), shift)
}
