//! The error of one result of a device, against exact arithmetic.

use crate::reference;

/// The unit in the last place of 1.
pub(super) const U: f64 = 1.0 / (1u32 << 23) as f64;

/// The smallest normal number.
pub(super) const NORMAL: f64 = f32::MIN_POSITIVE as f64;

/// The error of one result, and how it came about.
pub(super) struct Judged {
    pub(super) error: f64,
    pub(super) flushed_operand: bool,
    pub(super) flushed_result: bool,
}

impl Judged {
    /// Judges a result by the best of what WGSL allows: each subnormal operand as it is or zero, and so the result.
    ///
    /// `exact` is the operation, as a sum of two `f64` of which the second is what the first lacks.
    pub(super) fn of(found: f32, operands: &[f32], exact: &dyn Fn(&[f64]) -> (f64, f64)) -> Self {
        let mut best = Self { error: f64::INFINITY, flushed_operand: false, flushed_result: false };
        for choice in 0..1u32 << operands.len() {
            let flushed = |index: usize| choice >> index & 1 == 1;
            // Only what is subnormal can be flushed.
            if operands.iter().enumerate().any(|(index, value)| flushed(index) && !value.is_subnormal()) {
                continue;
            }
            let taken = |(index, value): (usize, &f32)| if flushed(index) { 0.0 } else { f64::from(*value) };
            let taken: Vec<f64> = operands.iter().enumerate().map(taken).collect();
            let (high, low) = exact(&taken);
            let error = ulps(found, high, low);
            // An operand counts as flushed only where the result cannot be told otherwise.
            if best.error >= 1.0 && error < best.error {
                best = Self { error, flushed_operand: choice != 0, flushed_result: false };
            }
            if found == 0.0 && high != 0.0 && high.abs() < NORMAL && best.error >= 1.0 {
                best = Self { error: 0.0, flushed_operand: choice != 0, flushed_result: true };
            }
        }
        best
    }
}

/// The error of `found` in units of the last place of `high + low`; 0 where that is out of range, which WGSL leaves
/// open.
fn ulps(found: f32, high: f64, low: f64) -> f64 {
    if high.is_nan() || high.abs() > f64::from(f32::MAX) {
        return 0.0;
    }
    if !found.is_finite() {
        return f64::INFINITY;
    }
    let relative = (f64::from(found) - high - low).abs() / unit(high);
    // Comparisons are exact, where the quotient rounds. The difference of a neighbour is exact as well; any other is
    // far larger than `low`.
    let difference = |neighbour: f32| f64::from(neighbour) - high;
    if difference(found.next_down()) < low && low < difference(found.next_up()) {
        relative.min(1.0 - f64::EPSILON)
    } else {
        relative.max(1.0)
    }
}

/// The unit in the last place of a number.
fn unit(value: f64) -> f64 {
    // The leading power of two, by its bits.
    let power = f64::from_bits(value.abs().to_bits() & 0x7ff0_0000_0000_0000);
    (power * U).max(f64::from(f32::from_bits(1)))
}

/// The sum of two numbers, and what rounding it to `f64` loses.
pub(super) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let other = sum - a;
    (sum, (a - (sum - other)) + (b - other))
}

/// A rounded result, which is never to be taken for the exact one.
pub(super) fn inexact(value: f64) -> (f64, f64) {
    (value, value * f64::EPSILON / 4.0)
}

/// The error of an `fma` as a part of what a product and a sum, each rounded to a neighbour, may be off by; and
/// whether it may have been rounded once.
pub(super) fn fused_error([a, b, c]: [f32; 3], found: f32) -> (f64, bool) {
    let [a, b, c] = [a, b, c].map(f64::from);
    let (product, twin) = (a * b, reference::arithmetic([a, b, c]).fused);
    let sizes = product.abs() + c.abs();
    // What overflows on the way is left open.
    if sizes.is_nan() || sizes > f64::from(f32::MAX) / 2.0 {
        return (0.0, true);
    }
    if !found.is_finite() {
        return (f64::INFINITY, false);
    }
    let error = (f64::from(found) - twin).abs();
    let lost = NORMAL * (a.abs() + b.abs() + 6.0);
    // The rounded sum may lie one binade above the exact one, as far as the product's rounding moves it.
    let allowed = unit(product) + unit(twin.abs() + unit(product)) + lost;
    let subnormal = [a, b, c, product, twin].iter().any(|value| value.abs() < NORMAL);
    (error / allowed, subnormal || error < unit(twin))
}
