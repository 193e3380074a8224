//! The exponential, without branches, so that a compiler makes vectors of it.

use std::f64::consts::{LN_2, LOG2_E};

use super::polynomial::polynomial;

/// A sum with this number is rounded to a whole number, which the last bits of the sum hold.
const TO_WHOLE: f64 = 1.5 * (1u64 << 52) as f64;

/// The exponent of 1 in the bits of a number.
const EXPONENT_OF_ONE: u64 = 1023;

/// The size of an argument beyond which no `f32` holds the result, and a normal `f64` still does.
const FAR: f64 = 700.0;

/// e^x = scale + scale · series, for x within ±700; NaN for NaN.
///
/// The rest of x beside multiples of ln 2 is at most 0.3466, where Taylor's polynomial of degree 10 is off by
/// 0.3466^11 / 11! < 2^-42. A multiple of ln 2 is off by 1010 · 2^-55 at most, and by 151 · 2^-55 for results in `f32`.
#[inline(always)]
fn parts(x: f64) -> (f64, f64) {
    const TAYLOR: [f64; 9] = [
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ];
    let x = x.clamp(-FAR, FAR);
    let shifted = x.mul_add(LOG2_E, TO_WHOLE);
    let rest = (shifted - TO_WHOLE).mul_add(-LN_2, x);
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(EXPONENT_OF_ONE) << 52);
    (scale, (polynomial(TAYLOR, rest) * rest).mul_add(rest, rest))
}

/// `e^x`; for |x| above 700, the value at 700 or -700.
///
/// *Accuracy*  2^-41, relative.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    let (scale, series) = parts(x);
    scale.mul_add(series, scale)
}

/// `e^x - 1`; for |x| above 700, the value at 700 or -700.
///
/// *Accuracy*  2^-40, relative, also near 0: there `scale` is 1, and 0.29 is the least size elsewhere.
#[inline(always)]
pub(super) fn exp_m1(x: f64) -> f64 {
    let (scale, series) = parts(x);
    scale.mul_add(series, scale - 1.0)
}
