//! output = matrix · input, for a matrix by the nonzeros of its rows.

/// The product of a sparse matrix and a vector: `output[i] = Σ values[k] input[columns[k]]` over k from `starts[i]` up
/// to `starts[i + 1]`.
pub fn sparse_product(starts: &[usize], columns: &[u32], values: &[f64], input: &[f64]) -> Vec<f64> {
    let row = |ends: &[usize]| (ends[0]..ends[1]).map(|k| values[k] * input[columns[k] as usize]).sum();
    starts.windows(2).map(row).collect()
}
