//! output = |matrix| · 1.

/// The sum of magnitudes of each row: `output[i] = Σⱼ |matrix[i, j]|`.
pub fn row_abs_sums(matrix: &[f64], cols: usize) -> Vec<f64> {
    matrix.chunks_exact(cols).map(|row| row.iter().map(|entry| entry.abs()).sum()).collect()
}
