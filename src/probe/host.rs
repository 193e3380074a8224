//! The arithmetic of the host.

use std::hint::black_box;

/// The first way in which this thread departs from IEEE 754 `f64` in its default mode, or `None`.
///
/// A program can round in another direction, or flush subnormal numbers, for all that runs in one of its threads.
pub(crate) fn host_violation() -> Option<&'static str> {
    // hidden from the compiler, which would work them out itself
    let [one, half_unit, least] = black_box([1.0, f64::EPSILON / 2.0, f64::MIN_POSITIVE]);
    let ties = [one + half_unit, one + 3.0 * half_unit, -one - half_unit, -one - 3.0 * half_unit];
    if ties != [1.0, 1.0 + 2.0 * f64::EPSILON, -1.0, -1.0 - 2.0 * f64::EPSILON] || one / 3.0 * 3.0 != 1.0 {
        return Some("the host does not round to nearest");
    }
    let subnormal = black_box(least / 2.0);
    if subnormal == 0.0 || subnormal * 2.0 != f64::MIN_POSITIVE || subnormal + subnormal != f64::MIN_POSITIVE {
        return Some("the host flushes subnormal numbers");
    }
    None
}
