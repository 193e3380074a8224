//! output = the sum of partial results over their segments.

/// The sum of partial results, a vector of `length` in each segment: `output[i] = Σₛ partials[s, i]`.
pub fn sum_partials(partials: &[f64], length: usize) -> Vec<f64> {
    let mut sums = vec![0.0; length];
    for segment in partials.chunks_exact(length) {
        sums.iter_mut().zip(segment).for_each(|(sum, value)| *sum += value);
    }
    sums
}
