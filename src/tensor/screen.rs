//! The screening of the entries of a matrix before any computation.

use crate::device::Device;
use crate::tensor::position::Position;
use crate::{Error, Result};

/// The range of the entries of one batch item.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Screen {
    /// The largest finite magnitude.
    pub(crate) largest: f64,
    /// The first entry in row-major order that is NaN or infinite.
    pub(crate) non_finite: Option<Position>,
}

impl Screen {
    /// The screen of entries that are all 0, all of ordinary size or all NaN, like `magnitude`.
    pub(crate) fn like(magnitude: f64) -> Self {
        let mut screen = Self::default();
        screen.see(magnitude, || Position { row: 0, col: 0 });
        screen
    }

    /// Takes in entries that follow: the largest finite magnitude, and the first that is not finite.
    pub(super) fn join(&mut self, largest: f64, non_finite: Option<Position>) {
        self.largest = self.largest.max(largest);
        self.non_finite = self.non_finite.or(non_finite);
    }

    /// Takes in the entry at `position`.
    pub(crate) fn see(&mut self, value: f64, position: impl FnOnce() -> Position) {
        if value.is_finite() {
            self.largest = self.largest.max(value.abs());
        } else if self.non_finite.is_none() {
            self.non_finite = Some(position());
        }
    }

    /// The power of two to divide the item by before `f32` arithmetic: 0 where squares and sums of its entries stay in
    /// range, else the exponent of the largest entry.
    ///
    /// Within 2^±40, a sum of 2^33 squares stays below 2^114, and underflow takes less than 2^-45 of the sum.
    pub(crate) fn exponent(&self) -> i32 {
        const ORDINARY: i32 = 40;
        if self.largest == 0.0 {
            return 0;
        }
        let exponent = binary_exponent(self.largest);
        if exponent.abs() <= ORDINARY { 0 } else { exponent }
    }
}

/// A screen of zeros for each item of a batch; refuses a batch with more items than a buffer has words.
pub(crate) fn of_zeros(device: &Device, batch: usize) -> Result<Vec<Screen>> {
    let (needed, limit) = ((batch as u64).saturating_mul(4), device.capabilities().buffer_bytes);
    if needed > limit {
        let what = format!("a word for each of {batch} matrices, in bytes,");
        return Err(Error::TooLarge { operation: "matrix", what, needed, limit, advice: "use a smaller batch" });
    }
    Ok(vec![Screen::default(); batch])
}

/// The exponent `e` with `2^e <= value < 2^(e + 1)`, for a positive finite value, subnormal or not.
pub(crate) fn binary_exponent(value: f64) -> i32 {
    let biased = ((value.to_bits() >> 52) & 0x7ff) as i32;
    if biased == 0 {
        return binary_exponent(value * power(64)) - 64;
    }
    biased - 1023
}

/// `2^exponent`, exactly, by its bits; past the normal range, the nearest power that is a normal number.
pub(crate) fn power(exponent: i32) -> f64 {
    f64::from_bits(((exponent.clamp(-1022, 1023) + 1023) as u64) << 52)
}

/// `value · 2^exponent`, exact for a normal result.
pub(crate) fn scale_by_power(value: f64, exponent: i32) -> f64 {
    scaling(exponent)(value)
}

/// [`scale_by_power`] of many values by one power.
pub(crate) fn scaling(exponent: i32) -> impl Fn(f64) -> f64 + Copy {
    // Three factors, because 2^exponent alone, even in halves, may leave the range of f64 though the product does not.
    // Beyond 2100 every number becomes zero or infinite.
    let exponent = exponent.clamp(-2100, 2100);
    let third = exponent / 3;
    let (factor, rest) = (power(third), power(exponent - 2 * third));
    move |value| value * factor * factor * rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_exact() {
        let mut exact = 1f64;
        for exponent in 0..=1023 {
            assert_eq!(power(exponent), exact, "{exponent}");
            assert!(exponent > 1022 || power(-exponent) == 1.0 / exact, "{exponent}");
            exact *= 2.0;
        }
        let least = f64::from_bits(1);
        assert_eq!(scale_by_power(3.0, -1074), 3.0 * least);
        assert_eq!((scale_by_power(least, 2097), scale_by_power(power(1023), -2097)), (power(1023), least));
        assert_eq!((scale_by_power(f64::MAX, -3000), scale_by_power(least, 3000)), (0.0, f64::INFINITY));
    }

    #[test]
    fn exponents_bracket_their_value() {
        for value in [1.0, 1.5, 2.0, 0.75, 1e-310, 5e-324, f64::MAX, f64::from(f32::MIN_POSITIVE) / 8.0] {
            let exponent = binary_exponent(value);
            let scaled = scale_by_power(value, -exponent);
            assert!((1.0..2.0).contains(&scaled), "{value:e}: {exponent}, {scaled}");
        }
    }
}
