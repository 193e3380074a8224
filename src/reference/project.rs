//! output = basis · input.

use super::dot::dot;

/// The coefficients of a vector in a basis, with a basis vector in each slot: `output[s] = Σᵢ basis[s, i] input[i]`.
pub fn project(basis: &[f64], input: &[f64]) -> Vec<f64> {
    basis.chunks_exact(input.len()).map(|slot| dot(slot, input)).collect()
}
