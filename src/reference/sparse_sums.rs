//! output = the sum of the parts of each row.

/// The sums of consecutive parts: `output[i] = Σ partials[p]` over p from `firsts[i]` up to `firsts[i + 1]`.
pub fn sparse_sums(firsts: &[u32], partials: &[f64]) -> Vec<f64> {
    firsts.windows(2).map(|ends| partials[ends[0] as usize..ends[1] as usize].iter().sum()).collect()
}
