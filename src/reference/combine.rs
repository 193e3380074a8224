//! output = output + sign · basisᵀ · coefficients.

/// A vector plus a combination of its basis, with a basis vector in each slot: `output[i] += sign Σₛ coefficients[s]
/// basis[s, i]`.
pub fn combine(sign: f64, basis: &[f64], coefficients: &[f64], output: &[f64]) -> Vec<f64> {
    let mut sums = output.to_vec();
    for (slot, coefficient) in basis.chunks_exact(output.len()).zip(coefficients) {
        sums.iter_mut().zip(slot).for_each(|(sum, entry)| *sum += sign * coefficient * entry);
    }
    sums
}
