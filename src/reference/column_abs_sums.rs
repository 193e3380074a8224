//! output = |matrix|ᵀ · 1.

/// The sum of magnitudes of each column: `output[j] = Σᵢ |matrix[i, j]|`.
pub fn column_abs_sums(matrix: &[f64], cols: usize) -> Vec<f64> {
    let mut sums = vec![0.0; cols];
    for row in matrix.chunks_exact(cols) {
        sums.iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry.abs());
    }
    sums
}
