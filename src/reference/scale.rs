//! output = factor · input.

/// A vector times a number: `output[i] = factor input[i]`.
pub fn scale(factor: f64, input: &[f64]) -> Vec<f64> {
    input.iter().map(|value| factor * value).collect()
}
