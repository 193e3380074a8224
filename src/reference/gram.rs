//! output = factor · matrixᵀ · matrix.

/// The product of a matrix with its own transpose, times a factor:
/// `output[i, j] = factor Σ_k matrix[k, i] matrix[k, j]`.
pub fn gram(matrix: &[f64], cols: usize, factor: f64) -> Vec<f64> {
    let mut output = vec![0.0; cols * cols];
    for row in matrix.chunks_exact(cols) {
        for (left, output) in row.iter().zip(output.chunks_exact_mut(cols)) {
            output.iter_mut().zip(row).for_each(|(sum, right)| *sum += left * right);
        }
    }
    output.iter().map(|sum| factor * sum).collect()
}
