//! A vector in the order of the rows of LU factors, or back in its own.

/// P · input, or Pᵀ · input where `inverse`, for the rows that a permutation names.
pub fn lu_permute(permutation: &[usize], inverse: bool, input: &[f64]) -> Vec<f64> {
    let mut output = vec![0.0; input.len()];
    for (row, place) in permutation.iter().enumerate() {
        let (from, to) = if inverse { (row, *place) } else { (*place, row) };
        output[to] = input[from];
    }
    output
}
