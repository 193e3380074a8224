//! Rounding errors of results after k operations, and single operations rounded to the safe side.

/// The unit roundoff of `f64`, rounded to nearest.
pub(super) const UNIT: f64 = f64::EPSILON / 2.0;

/// An upper bound of gamma(k) = k u / (1 - k u), with u = 2^-53: the relative error of `roundings` = k roundings of
/// `f64` in a row.
///
/// Infinite where k u reaches 1, because no bound exists then.
///
/// *Source*  Higham, *Accuracy and Stability of Numerical Algorithms*, lemma 3.1.
///
/// ```
/// use opnorm::bound::gamma;
/// assert!(gamma(10) > 10.0 * 2f64.powi(-53) && gamma(10) < 10.1 * 2f64.powi(-53));
/// ```
pub fn gamma(roundings: usize) -> f64 {
    quotient(up(roundings as f64 * UNIT))
}

/// gamma(k) for the device's `f32`, with u = 2^-23, because WGSL lets a sum or product be either neighbour of the
/// exact result.
pub fn device_gamma(roundings: usize) -> f64 {
    quotient(up(roundings as f64 * f64::from(f32::EPSILON)))
}

/// x / (1 - x) rounded up; infinite from x = 1 on.
fn quotient(product: f64) -> f64 {
    let rest = down(1.0 - product);
    if rest > 0.0 { up(product / rest) } else { f64::INFINITY }
}

/// An upper bound of a sum of terms that are not negative, from the computed sum with `roundings` roundings of each
/// term.
///
/// The proof is computed >= exact (1 - gamma(roundings)).
pub fn sum_above(computed: f64, roundings: usize) -> f64 {
    let kept = down(1.0 - gamma(roundings));
    if kept > 0.0 { up(computed / kept) } else { f64::INFINITY }
}

/// An upper bound of the exact result of the single operation that gave `value`.
pub fn up(value: f64) -> f64 {
    value.next_up()
}

/// A lower bound of the exact result of the single operation that gave `value`.
pub fn down(value: f64) -> f64 {
    value.next_down()
}
