//! output = function(left, right), element by element.

/// A function of two numbers, element by element.
#[inline]
pub fn binary(function: fn(f64, f64) -> f64, left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| function(*left, *right)).collect()
}

/// `left + right`
#[inline]
pub fn add(left: f64, right: f64) -> f64 {
    left + right
}

/// `left - right`
#[inline]
pub fn subtract(left: f64, right: f64) -> f64 {
    left - right
}

/// `left right`
#[inline]
pub fn multiply(left: f64, right: f64) -> f64 {
    left * right
}

/// `left / right`
#[inline]
pub fn divide(left: f64, right: f64) -> f64 {
    left / right
}

/// The larger of both, NaN where one of them is.
#[inline]
pub fn maximum(left: f64, right: f64) -> f64 {
    if left.is_nan() || left > right { left } else { right }
}

/// `left` where `right` is above 0, else 0, whatever `left` is.
#[inline]
pub fn pick(left: f64, right: f64) -> f64 {
    if right > 0.0 { left } else { 0.0 }
}

/// 1 where `left` is larger, else 0; NaN where one of them is.
#[inline]
pub fn greater(left: f64, right: f64) -> f64 {
    if left.is_nan() || right.is_nan() { f64::NAN } else { f64::from(u8::from(left > right)) }
}
