//! output = factor · matrix.

/// The entries times a factor: `output[i, j] = factor matrix[i, j]`,
/// which `f32` holds exactly, or to the nearest, where the factor is a power of two.
pub fn decode(matrix: &[f64], factor: f64) -> Vec<f64> {
    matrix.iter().map(|entry| factor * entry).collect()
}
