//! |factor · input|².

/// The square of the norm of a vector times a number: `Σᵢ (factor input[i])²`.
pub fn sum_squares(input: &[f64], factor: f64) -> f64 {
    input.iter().map(|value| (factor * value).powi(2)).sum()
}
