//! The normal distribution.

use super::exponential::exp;
use super::polynomial::polynomial;

/// The size of x from which on Φ(-x) is 0 in `f32`, and x Φ(-x) too.
pub(super) const END: f64 = 15.0;

/// 1 / √(2π)
const FACTOR: f64 = 0.398_942_280_401_432_7;

/// `e^(-x²/2) / √(2π)`, the density φ.
///
/// *Accuracy*  2^-41, relative.
#[inline(always)]
pub(super) fn density(x: f64) -> f64 {
    FACTOR * exp(-0.5 * x * x)
}

/// Mills' ratio (1 - Φ(size)) / φ(size) for sizes up to 15, as t times a polynomial in t = 1 / (1 + size / 4): it meets
/// the ratio at the Chebyshev nodes of degree 15 between 1 / (1 + 15 / 4) and 1.
///
/// *Accuracy*  2^-40, relative.
#[inline(always)]
pub(super) fn mills_ratio(size: f64) -> f64 {
    const CHEBYSHEV: [f64; 15] = [
        -0.01398162641018582,
        0.12527847112394253,
        -0.49204078735521883,
        1.1003149181100338,
        -1.5385043713687605,
        1.4448370090640499,
        -1.0261723275542307,
        0.5477758547160826,
        -0.14894610067971933,
        0.16951196199124122,
        0.14586708849318766,
        0.20520581635781315,
        0.23415446958672784,
        0.2500141782057222,
        0.2499995830346446,
    ];
    let part = 1.0 / (1.0 + 0.25 * size);
    part * polynomial(CHEBYSHEV, part)
}
