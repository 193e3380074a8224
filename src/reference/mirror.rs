//! output[row, col] = output[col, row] above the diagonal.

/// A square matrix with the entries below the diagonal copied above.
pub fn mirror(matrix: &[f64], cols: usize) -> Vec<f64> {
    let entry = |index| {
        let (row, col): (usize, usize) = (index / cols, index % cols);
        matrix[row.max(col) * cols + row.min(col)]
    };
    (0..matrix.len()).map(entry).collect()
}
