//! output = matrix · input, for several vectors.

use super::matvec::matvec;

/// The products of a matrix with successive vectors: `output[i] = matrix input[i]`.
pub fn matvec_vectors(matrix: &[f64], cols: usize, input: &[f64]) -> Vec<f64> {
    input.chunks_exact(cols).flat_map(|vector| matvec(matrix, vector)).collect()
}
