//! What is known of the entries of a matrix before anything is computed with it.

use crate::tensor::Position;

/// Entries of one batch item at a glance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Screen {
    /// The largest finite magnitude.
    pub(crate) largest: f64,
    /// The first entry, in row-major order, that is NaN or infinite.
    pub(crate) non_finite: Option<Position>,
}

impl Screen {
    /// Takes in the entry at `position`.
    pub(crate) fn see(&mut self, value: f64, position: impl FnOnce() -> Position) {
        if value.is_finite() {
            self.largest = self.largest.max(value.abs());
        } else if self.non_finite.is_none() {
            self.non_finite = Some(position());
        }
    }

    /// The power of two to divide the item by before `f32` arithmetic: 0 where squares and sums of its entries stay
    /// in range as they are, else the exponent of the largest entry.
    ///
    /// Within 2^±40, a sum of 2^33 squares stays below 2^114, and what underflows is below 2^-45 of the sum.
    pub(crate) fn exponent(&self) -> i32 {
        const ORDINARY: i32 = 40;
        if self.largest == 0.0 {
            return 0;
        }
        let exponent = binary_exponent(self.largest);
        if exponent.abs() <= ORDINARY { 0 } else { exponent }
    }
}

/// `e` with `2^e <= value < 2^(e + 1)`, for a positive finite value, subnormal or not.
pub(crate) fn binary_exponent(value: f64) -> i32 {
    let biased = ((value.to_bits() >> 52) & 0x7ff) as i32;
    if biased == 0 {
        return binary_exponent(value * 2f64.powi(64)) - 64;
    }
    biased - 1023
}

/// `value · 2^exponent`, exact wherever the result is a normal number.
pub(crate) fn scale_by_power(value: f64, exponent: i32) -> f64 {
    // Two factors: 2^exponent alone may leave the range of f64 though the product does not.
    let half = exponent / 2;
    value * 2f64.powi(half) * 2f64.powi(exponent - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_bracket_their_value() {
        for value in [1.0, 1.5, 2.0, 0.75, 1e-310, 5e-324, f64::MAX, f64::from(f32::MIN_POSITIVE) / 8.0] {
            let exponent = binary_exponent(value);
            let scaled = scale_by_power(value, -exponent);
            assert!((1.0..2.0).contains(&scaled), "{value:e}: {exponent}, {scaled}");
        }
    }
}
