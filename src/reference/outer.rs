//! output = coefficient · left · rightᵀ.

/// The outer product of two vectors times a coefficient: `output[i, j] = coefficient left[i] right[j]`.
pub fn outer(coefficient: f64, left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().flat_map(|x| right.iter().map(move |y| coefficient * x * y)).collect()
}
