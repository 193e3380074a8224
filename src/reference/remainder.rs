//! norm = root of a sum of squares, and output = scale / norm · the sum of partial results - norm · input.

use super::axpby::axpby;
use super::sum_partials::sum_partials;

/// The norm of a vector from its sums of squares, and the rest of a product: `norm = √(Σₛ squares[s])`, `output[i] =
/// scale / norm Σₛ partials[s, i] - norm input[i]`.
pub fn remainder(input: &[f64], scale: f64, squares: &[f64], partials: &[f64]) -> (f64, Vec<f64>) {
    let norm = squares.iter().sum::<f64>().sqrt();
    (norm, axpby(-1.0, norm, input, scale / norm, &sum_partials(partials, input.len())))
}
