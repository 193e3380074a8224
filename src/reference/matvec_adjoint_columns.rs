//! output = matrixᵀ · input, for several columns.

use super::matvec_adjoint;

/// The products of a transposed matrix with columns that lie one after another: `output[c] = matrixᵀ input[c]`.
pub fn matvec_adjoint_columns(matrix: &[f64], cols: usize, input: &[f64]) -> Vec<f64> {
    let rows = matrix.len() / cols.max(1);
    input.chunks_exact(rows.max(1)).flat_map(|column| matvec_adjoint(matrix, cols, column)).collect()
}
