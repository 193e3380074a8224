//! t = scale · matrix · input + a · shift, and matrixᵀ · t.

use super::axpby::axpby;
use super::matvec::matvec;
use super::matvec_adjoint::matvec_adjoint;

/// A product t with a vector added, and the product of the transpose with t: `t[i] = scale Σⱼ matrix[i, j] input[j] + a
/// shift[i]`, `back[j] = Σᵢ matrix[i, j] t[i]`.
pub fn matvec_both(matrix: &[f64], input: &[f64], scale: f64, a: f64, shift: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let product = axpby(1.0, a, shift, scale, &matvec(matrix, input));
    let back = matvec_adjoint(matrix, input.len(), &product);
    (product, back)
}
