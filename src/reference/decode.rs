//! output = factor · matrix.

/// The entries times a factor: `output[i, j] = factor matrix[i, j]`.
pub fn decode(matrix: &[f64], factor: f64) -> Vec<f64> {
    matrix.iter().map(|entry| factor * entry).collect()
}
