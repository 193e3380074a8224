//! Functions of a number and a parameter in `f64`, each to be rounded to `f32`: those that take vectors, where the
//! standard library has one element at a time.
//!
//! *Accuracy*  2^-38, relative, but for the slopes that pass 0: there 2^-38 of the larger of their terms. So the `f32`
//! that is written is the nearest one, except within 2^-38 of the middle between two.

use super::exponential::{exp as exponential, exp_m1};
use super::logarithm::{log as logarithm, log_1p};
use super::normal::{END, density, mills_ratio};

/// `e^x`
#[inline(always)]
pub(crate) fn exp(x: f64, _: f64) -> f64 {
    exponential(x)
}

/// `parameter e^x` where `x` is not positive, else 0.
#[inline(always)]
pub(crate) fn exp_below(x: f64, parameter: f64) -> f64 {
    if x > 0.0 { 0.0 } else { parameter * exponential(x) }
}

/// `x` where it is not negative, else `parameter (e^x - 1)`.
#[inline(always)]
pub(crate) fn elu(x: f64, parameter: f64) -> f64 {
    if x < 0.0 { parameter * exp_m1(x) } else { x }
}

/// The natural logarithm.
#[inline(always)]
pub(crate) fn log(x: f64, _: f64) -> f64 {
    logarithm(x)
}

/// `log(1 + x)`
#[inline(always)]
pub(crate) fn log1p(x: f64, _: f64) -> f64 {
    log_1p(x)
}

/// `log(1 + e^x)`
#[inline(always)]
pub(crate) fn softplus(x: f64, _: f64) -> f64 {
    (if x > 0.0 { x } else { 0.0 }) + log_1p(exponential(-x.abs()))
}

/// The hyperbolic tangent, as m / (2 + m) with m = 1 - e^-2|x|, which does not cancel near 0.
#[inline(always)]
pub(crate) fn tanh(x: f64, _: f64) -> f64 {
    let minus = exp_m1(-2.0 * x.abs());
    (-minus / (2.0 + minus)).copysign(x)
}

/// `1 / cosh² x`, as `4 σ(2x) σ(-2x)` with the logistic function σ.
#[inline(always)]
pub(crate) fn sech2(x: f64, _: f64) -> f64 {
    logistic_slope(2.0 * x, 4.0)
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub(crate) fn sigmoid(x: f64, _: f64) -> f64 {
    1.0 / (1.0 + exponential(-x))
}

/// `parameter σ(x) σ(-x)` with the logistic function σ.
#[inline(always)]
pub(crate) fn logistic_slope(x: f64, parameter: f64) -> f64 {
    let [below, above] = logistic(x.abs());
    parameter * (below * above)
}

/// `x σ(x)`; its limit 0 at -∞.
#[inline(always)]
pub(crate) fn silu(x: f64, _: f64) -> f64 {
    bounded_below(x) * sigmoid(x, 0.0)
}

/// The slope of [`silu`], whose values at `x` and `-x` have the sum 1.
#[inline(always)]
pub(crate) fn silu_slope(x: f64, _: f64) -> f64 {
    let size = bounded(x.abs(), FAR);
    let [below, above] = logistic(size);
    of_tail(x, below * (-size).mul_add(above, 1.0))
}

/// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, as `x σ` of twice the argument of tanh; its limit 0 at -∞.
#[inline(always)]
pub(crate) fn gelu_tanh(x: f64, _: f64) -> f64 {
    bounded_below(x) * sigmoid(gelu_tanh_argument(x)[0], 0.0)
}

/// The slope of [`gelu_tanh`], whose values at `x` and `-x` have the sum 1.
#[inline(always)]
pub(crate) fn gelu_tanh_slope(x: f64, _: f64) -> f64 {
    let size = bounded(x.abs(), FAR);
    let [twice, steep] = gelu_tanh_argument(size);
    let [below, above] = logistic(twice);
    of_tail(x, below * (-size * steep).mul_add(above, 1.0))
}

/// `parameter e^(-x²/2) / √(2π)`
#[inline(always)]
pub(crate) fn normal_density(x: f64, parameter: f64) -> f64 {
    parameter * density(x)
}

/// The probability that a standard normal number is below `x`.
#[inline(always)]
pub(crate) fn normal_cdf(x: f64, _: f64) -> f64 {
    let size = bounded(x.abs(), END);
    of_tail(x, density(size) * mills_ratio(size))
}

/// `x Φ(x)`; its limit 0 at -∞.
#[inline(always)]
pub(crate) fn gelu(x: f64, _: f64) -> f64 {
    bounded_below(x) * normal_cdf(x, 0.0)
}

/// The slope of [`gelu`], whose values at `x` and `-x` have the sum 1.
#[inline(always)]
pub(crate) fn gelu_slope(x: f64, _: f64) -> f64 {
    let size = bounded(x.abs(), END);
    of_tail(x, density(size) * (mills_ratio(size) - size))
}

/// σ(-size) and σ(size) of the logistic function, for sizes that are not negative.
#[inline(always)]
fn logistic(size: f64) -> [f64; 2] {
    let decay = exponential(-size);
    let above = 1.0 / (1.0 + decay);
    [decay * above, above]
}

/// Twice the argument of the tanh of [`gelu_tanh`], and its slope.
#[inline(always)]
fn gelu_tanh_argument(x: f64) -> [f64; 2] {
    const FACTOR: f64 = 1.595_769_121_605_730_7; // √(8/π)
    let square = 0.044_715 * x * x;
    [FACTOR * x.mul_add(square, x), FACTOR * 3f64.mul_add(square, 1.0)]
}

/// The value at `x` of a function with the value `tail` at -|x|, whose values at x and -x have the sum 1.
#[inline(always)]
fn of_tail(x: f64, tail: f64) -> f64 {
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// The limit of x beyond which e^-x is 0.
const FAR: f64 = 1024.0;

/// `size`, but no more than a limit, so that its product with 0 is 0.
#[inline(always)]
fn bounded(size: f64, limit: f64) -> f64 {
    if size > limit { limit } else { size }
}

/// `x`, but not below -[`FAR`].
#[inline(always)]
fn bounded_below(x: f64) -> f64 {
    if x < -FAR { -FAR } else { x }
}
