//! left · right.

/// The inner product of two vectors: `Σᵢ left[i] right[i]`.
pub fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}
