//! The logarithm, without branches, so that a compiler makes vectors of it.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, SQRT_2};

use super::polynomial::polynomial;

/// The bits of a number that hold its fraction.
const FRACTION: u64 = (1 << 52) - 1;

/// The bits of 1.
const ONE: u64 = 1023 << 52;

/// The bits of 2^52: of a sum of this number with whole numbers, the last bits hold the whole number.
const WHOLE: u64 = (1023 + 52) << 52;

/// x = fraction · 2^power with the fraction within √½ and √2, for finite x above 0 that are normal in `f64`.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    let least = FRAC_1_SQRT_2.to_bits();
    let from_least = x.to_bits().wrapping_sub(least).wrapping_add(ONE);
    let fraction = f64::from_bits((from_least & FRACTION) + least);
    // The power counts from -1023 on, so that it is a whole number without a sign.
    let power = f64::from_bits((from_least >> 52) | WHOLE) - f64::from_bits(WHOLE | (ONE >> 52));
    (fraction, power)
}

/// log(1 + rest) for 1 + rest within √½ and √2, as 2 artanh(s) with s = rest / (2 + rest), at most 0.1716.
///
/// *Accuracy*  2^-44, relative: the series without its terms from 2 s^17 / 17 on.
#[inline(always)]
fn near_one(rest: f64) -> f64 {
    const ARTANH: [f64; 7] = [1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 0.2, 1.0 / 3.0];
    let ratio = rest / (2.0 + rest);
    let square = ratio * ratio;
    let twice = 2.0 * ratio;
    (twice * square).mul_add(polynomial(ARTANH, square), twice)
}

/// The `value` of a logarithm where `x` is finite and above 0; its limits elsewhere, and NaN where there is none.
#[inline(always)]
fn limited(x: f64, value: f64) -> f64 {
    let above = if x < f64::INFINITY { value } else { x };
    let up_to_zero = if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    if x > 0.0 { above } else { up_to_zero }
}

/// The natural logarithm of `x`, no subnormal number.
///
/// *Accuracy*  2^-43, relative.
#[inline(always)]
pub(super) fn log(x: f64) -> f64 {
    let (fraction, power) = split(x);
    limited(x, power.mul_add(LN_2, near_one(fraction - 1.0)))
}

/// `log(1 + x)`.
///
/// *Accuracy*  2^-43, relative, also near 0: there x itself is the rest, and 1 + x loses less than 2^-53 elsewhere.
#[inline(always)]
pub(super) fn log_1p(x: f64) -> f64 {
    let is_near = x > FRAC_1_SQRT_2 - 1.0 && x < SQRT_2 - 1.0;
    let (fraction, power) = split(1.0 + x);
    let tail = near_one(if is_near { x } else { fraction - 1.0 });
    if is_near { tail } else { limited(1.0 + x, power.mul_add(LN_2, tail)) }
}
