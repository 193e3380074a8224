//! output = matrix · input.

use super::dot::dot;

/// The product of a matrix and a vector: `output[i] = Σⱼ matrix[i, j] input[j]`.
pub fn matvec(matrix: &[f64], input: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(input.len()).map(|row| dot(row, input)).collect()
}
