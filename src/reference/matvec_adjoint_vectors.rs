//! output = matrixᵀ · input, for several vectors.

use super::matvec_adjoint::matvec_adjoint;

/// The products of a transposed matrix with successive vectors: `output[i] = matrixᵀ input[i]`.
pub fn matvec_adjoint_vectors(matrix: &[f64], cols: usize, input: &[f64]) -> Vec<f64> {
    let rows = matrix.len() / cols.max(1);
    input.chunks_exact(rows.max(1)).flat_map(|column| matvec_adjoint(matrix, cols, column)).collect()
}
