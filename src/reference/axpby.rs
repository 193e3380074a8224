//! output = sign · a · input + b · output.

/// A vector plus a multiple of another: `output[i] = sign a input[i] + b output[i]`.
pub fn axpby(sign: f64, a: f64, input: &[f64], b: f64, output: &[f64]) -> Vec<f64> {
    input.iter().zip(output).map(|(x, y)| sign * a * x + b * y).collect()
}
