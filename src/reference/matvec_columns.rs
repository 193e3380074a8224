//! output = matrix · input, for several columns.

use super::matvec;

/// The products of a matrix with columns that lie one after another: `output[c] = matrix input[c]`.
pub fn matvec_columns(matrix: &[f64], cols: usize, input: &[f64]) -> Vec<f64> {
    input.chunks_exact(cols).flat_map(|column| matvec(matrix, column)).collect()
}
