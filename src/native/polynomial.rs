//! Polynomials.

/// The polynomial with these coefficients, the highest degree first; each product joins its sum in one rounding.
#[inline(always)]
pub(super) fn polynomial<const N: usize>(coefficients: [f64; N], x: f64) -> f64 {
    let mut sum = 0.0f64;
    for coefficient in coefficients {
        sum = sum.mul_add(x, coefficient);
    }
    sum
}
