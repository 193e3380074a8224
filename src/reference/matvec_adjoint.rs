//! output = matrixᵀ · input.

/// The product of a transposed matrix and a vector: `output[j] = Σᵢ matrix[i, j] input[i]`.
pub fn matvec_adjoint(matrix: &[f64], cols: usize, input: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; cols];
    for (row, x) in matrix.chunks_exact(cols).zip(input) {
        sums.iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry * x);
    }
    sums
}
