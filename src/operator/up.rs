//! Numbers that are at least what they stand for, whatever was rounded on the way.

use std::ops::{Add, Mul};

use super::enclosure::{device_gamma, gamma, norm_above, sum_above, up};

/// A number that is at least a quantity, both not negative.
///
/// Sums, products, quotients and roots of such numbers are rounded up, so that each is at least the same of the quantities.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Up(f64);

impl Up {
    /// A quantity that is known exactly.
    pub(crate) const fn of(quantity: f64) -> Self {
        Self(quantity)
    }

    /// The number.
    pub(crate) fn value(self) -> f64 {
        self.0
    }

    /// gamma(roundings) of `f64`.
    pub(crate) fn gamma(roundings: usize) -> Self {
        Self(gamma(roundings))
    }

    /// gamma(roundings) of the device's `f32`.
    pub(crate) fn device_gamma(roundings: usize) -> Self {
        Self(device_gamma(roundings))
    }

    /// A sum of products, none of them negative, of which each passed through at most so many roundings; `terms` of them at
    /// the most may have underflowed.
    pub(crate) fn sum(computed: f64, terms: usize, roundings: usize) -> Self {
        Self(sum_above(computed, roundings)) + Self(terms as f64) * Self(f64::MIN_POSITIVE)
    }

    /// The 2-norm of a vector.
    pub(crate) fn norm(vector: &[f64]) -> Self {
        Self(norm_above(vector))
    }

    /// The square root.
    pub(crate) fn sqrt(self) -> Self {
        Self(up(self.0.sqrt()))
    }

    /// The quotient by a number that is at most the quantity it stands for, and above 0.
    pub(crate) fn over(self, below: f64) -> Self {
        Self(up(self.0 / below))
    }

    /// The smaller one, of two numbers for one quantity.
    pub(crate) fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The larger one.
    pub(crate) fn max(self, other: Self) -> Self {
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
