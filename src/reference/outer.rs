//! output = coefficient · Σ left · rightᵀ.

/// The outer products of pairs of vectors, added up, times a coefficient: `output[i, j] = coefficient Σ left[k][i]
/// right[k][j]`.
pub fn outer(coefficient: f64, left: &[&[f64]], right: &[&[f64]]) -> Vec<f64> {
    let (rows, cols) = (left.first().map_or(0, |left| left.len()), right.first().map_or(0, |right| right.len()));
    let pairs = || left.iter().zip(right);
    let entry = |index: usize| pairs().map(|(left, right)| left[index / cols] * right[index % cols]).sum::<f64>();
    (0..rows * cols).map(|index| coefficient * entry(index)).collect()
}
