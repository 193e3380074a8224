//! The sum of squares of the entries.

/// The square of the Frobenius norm: `Σᵢⱼ matrix[i, j]²`.
pub fn square_sums(matrix: &[f64]) -> f64 {
    matrix.iter().map(|entry| entry * entry).sum()
}
