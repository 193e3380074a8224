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

/// A matrix of integers times a power of two: every matrix of `f64` is one.
pub(crate) struct Dyadic {
    entries: Vec<BigInt>,
    exponent: i32,
    rows: usize,
    cols: usize,
}

impl Dyadic {
    pub(crate) fn of(matrix: &Wide) -> Self {
        let parts: Vec<_> = matrix.entries.iter().map(|entry| dyadic(*entry)).collect();
        let exponent =
            parts.iter().filter(|(integer, _)| *integer != BigInt::ZERO).map(|(_, exponent)| *exponent).min();
        let exponent = exponent.unwrap_or(0);
        let entries = parts.into_iter().map(|(integer, place)| integer << (place - exponent).max(0));
        Self { entries: entries.collect(), exponent, rows: matrix.rows, cols: matrix.cols }
    }

    /// Whether `bound` is above the norm: whether bound² - AᵀA is positive definite, by its leading minors, all of them exact
    /// (Bareiss elimination).
    pub(crate) fn is_below(&self, bound: f64) -> bool {
        // both sides times a power of four, so that they are integers
        let (integer, place) = dyadic(bound);
        let integer = integer << (place - self.exponent).max(0);
        let scale = BigInt::from(1) << (2 * (self.exponent - place).max(0));
        let square = &integer * &integer;
        let (rows, cols) = (self.rows, self.cols);
        let gram = |left: usize, right: usize| -> BigInt {
            (0..rows).map(|row| &self.entries[row * cols + left] * &self.entries[row * cols + right]).sum()
        };
        let entry = |left: usize, right: usize| {
            let diagonal = if left == right { square.clone() } else { BigInt::ZERO };
            diagonal - gram(left, right) * &scale
        };
        let matrix = (0..cols).map(|left| (0..cols).map(|right| entry(left, right)).collect()).collect();
        is_positive_definite(matrix)
    }
}

fn is_positive_definite(mut matrix: Vec<Vec<BigInt>>) -> bool {
    let side = matrix.len();
    let mut before = BigInt::from(1);
    for pivot in 0..side {
        if matrix[pivot][pivot].sign() != Sign::Plus {
            return false;
        }
        for row in pivot + 1..side {
            // symmetric, so that half of it is enough
            for col in pivot + 1..=row {
                let product = &matrix[pivot][pivot] * &matrix[row][col] - &matrix[row][pivot] * &matrix[col][pivot];
                matrix[row][col] = product / &before;
            }
        }
        before = matrix[pivot][pivot].clone();
    }
    true
}

/// (n, e) with value = n 2^e, by its bits.
fn dyadic(value: f64) -> (BigInt, i32) {
    let bits = value.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let hidden = if biased == 0 { 0 } else { 1 << 52 };
    let magnitude = BigInt::from((bits & ((1 << 52) - 1)) | hidden);
    (if value < 0.0 { -magnitude } else { magnitude }, biased.max(1) - 1075)
}
