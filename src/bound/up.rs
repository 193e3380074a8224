//! Upper bounds that stay upper bounds through arithmetic.

use std::ops::{Add, Mul};

use super::rounding::{device_gamma, gamma, sum_above, up};
use super::vector::norm_above;

/// An upper bound of a quantity that is not negative.
///
/// Sums, products, quotients and roots are rounded up, so that each bounds the same operation on the quantities.
///
/// ```
/// use opnorm::bound::Up;
/// let third = Up::of(1.0).over(3.0);
/// assert!(third.value() * 3.0 >= 1.0);
/// assert!((third * third + Up::of(1.0)).sqrt().value() > (10f64 / 9.0).sqrt());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Up(f64);

impl Up {
    /// The bound of a quantity that equals `quantity`.
    pub const fn of(quantity: f64) -> Self {
        Self(quantity)
    }

    /// The bound as a number.
    pub fn value(self) -> f64 {
        self.0
    }

    /// The relative error of `roundings` roundings of `f64` in a row ([`gamma`]).
    pub fn gamma(roundings: usize) -> Self {
        Self(gamma(roundings))
    }

    /// The relative error of `roundings` roundings of the device's `f32` in a row ([`device_gamma`]).
    pub fn device_gamma(roundings: usize) -> Self {
        Self(device_gamma(roundings))
    }

    /// The bound of a sum of products, none of them negative, from the computed sum.
    ///
    /// Each product passed through at most `roundings` roundings, and at most `terms` products underflowed.
    pub fn sum(computed: f64, terms: usize, roundings: usize) -> Self {
        Self(sum_above(computed, roundings)) + Self(terms as f64) * Self(f64::MIN_POSITIVE)
    }

    /// The 2-norm of a vector.
    pub fn norm(vector: &[f64]) -> Self {
        Self(norm_above(vector))
    }

    /// The square root.
    pub fn sqrt(self) -> Self {
        Self(up(self.0.sqrt()))
    }

    /// The quotient by a quantity with the lower bound `below` > 0.
    pub fn over(self, below: f64) -> Self {
        Self(up(self.0 / below))
    }

    /// The smaller of two bounds of one quantity.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The larger of two bounds, a bound of the larger quantity.
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

impl Add for Up {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(up(self.0 + other.0))
    }
}

impl Mul for Up {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(up(self.0 * other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Sums and products of integers are exact in `u128`; the sign of a fused multiply-add is.
        #[test]
        fn every_operation_is_above_its_exact_result(left in 1u64..1 << 53, right in 1u64..1 << 53) {
            let (a, b) = (Up::of(left as f64), Up::of(right as f64));
            prop_assert!((a + b).value() as u128 >= u128::from(left) + u128::from(right));
            prop_assert!((a * b).value() as u128 >= u128::from(left) * u128::from(right));
            let (quotient, root) = (a.over(right as f64).value(), a.sqrt().value());
            prop_assert!(quotient.mul_add(right as f64, -(left as f64)) > 0.0);
            prop_assert!(root.mul_add(root, -(left as f64)) > 0.0);
            prop_assert!(a.min(b) <= a.max(b));
        }
    }

    #[test]
    fn a_sum_whose_terms_underflow_is_still_above() {
        let tiny = 2f64.powi(-540);
        assert_eq!(tiny * tiny, 0.0);
        assert!(Up::sum(tiny * tiny, 1, 1).sqrt().value() >= tiny);
        assert!(Up::sum(1.0, 0, usize::MAX >> 8).value().is_infinite(), "nothing is known of so many roundings");
    }
}
