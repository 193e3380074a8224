//! The values of elements by their bits: a decoder for each type.

use super::tiny::Tiny;
use super::{Element, TensorView};
use crate::Result;
use crate::tensor::screen::scale_by_power;

impl TensorView<'_> {
    /// Copies the elements `first..first + out.len()` through a function of their nearest f64.
    pub(super) fn decode<T>(&self, first: usize, out: &mut [T], see: impl Fn(f64) -> T) -> Result<()> {
        match self.element() {
            Element::F64 => self.copy(first, out, |bytes| see(f64::from_le_bytes(bytes))),
            Element::F32 => self.copy(first, out, |bytes| see(f64::from(f32::from_le_bytes(bytes)))),
            Element::F16 => self.copy(first, out, |bytes| see(half::f16::from_le_bytes(bytes).to_f64())),
            Element::Bf16 => self.copy(first, out, |bytes| see(half::bf16::from_le_bytes(bytes).to_f64())),
            Element::F80 { bytes: 12 } => self.copy(first, out, |bytes: [u8; 12]| see(extended(&bytes))),
            Element::F80 { bytes: 16 } => self.copy(first, out, |bytes: [u8; 16]| see(extended(&bytes))),
            Element::I8 => self.copy(first, out, |bytes| see(f64::from(i8::from_le_bytes(bytes)))),
            Element::I16 => self.copy(first, out, |bytes| see(f64::from(i16::from_le_bytes(bytes)))),
            Element::I32 => self.copy(first, out, |bytes| see(f64::from(i32::from_le_bytes(bytes)))),
            Element::I64 => self.copy(first, out, |bytes| see(i64::from_le_bytes(bytes) as f64)),
            Element::U8 => self.copy(first, out, |[byte]| see(f64::from(byte))),
            Element::U16 => self.copy(first, out, |bytes| see(f64::from(u16::from_le_bytes(bytes)))),
            Element::U32 => self.copy(first, out, |bytes| see(f64::from(u32::from_le_bytes(bytes)))),
            Element::U64 => self.copy(first, out, |bytes| see(u64::from_le_bytes(bytes) as f64)),
            Element::Bool => self.copy(first, out, |[byte]| see(f64::from(u8::from(byte != 0)))),
            tiny => match Tiny::of(tiny) {
                Some(tiny) => {
                    let values = tiny.values();
                    self.copy_codes(first, out, |code| see(values[usize::from(code)]))
                }
                None => Err(self.unreadable("real numbers")),
            },
        }
    }

    /// Copies the complex elements `first..first + out.len()`, in row-major order, as pairs of a real and an imaginary
    /// part; exact.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for elements that are not complex, or where the tensor has fewer.
    pub fn copy_complex(&self, first: usize, out: &mut [[f64; 2]]) -> Result<()> {
        // Reversed bytes reverse the parts as well.
        let is_reversed = self.is_big_endian();
        let ordered = |[re, im]: [f64; 2]| if is_reversed { [im, re] } else { [re, im] };
        match self.element() {
            Element::C64 => self.copy(first, out, |bytes: [u8; 8]| {
                let bits = u64::from_le_bytes(bytes);
                ordered([bits as u32, (bits >> 32) as u32].map(|part| f64::from(f32::from_bits(part))))
            }),
            Element::C128 => self.copy(first, out, |bytes: [u8; 16]| {
                let bits = u128::from_le_bytes(bytes);
                ordered([bits as u64, (bits >> 64) as u64].map(f64::from_bits))
            }),
            _ => Err(self.unreadable("complex numbers")),
        }
    }
}

/// The f64 nearest to a number in the extended precision of x86: m 2^(e - 16446), with 64 bits of m from the lowest
/// byte on, then 15 bits of e and the sign. NaN where the processor calls the bits invalid.
fn extended(bytes: &[u8]) -> f64 {
    let byte = |place: usize| bytes.get(place).copied().unwrap_or(0);
    let mantissa = u64::from_le_bytes(std::array::from_fn(byte));
    let head = u16::from_le_bytes([byte(8), byte(9)]);
    let (exponent, sign) = (i32::from(head & 0x7fff), if head >> 15 == 0 { 1.0 } else { -1.0 });
    let magnitude = match (exponent, mantissa >> 63) {
        (0x7fff, 1) if mantissa << 1 == 0 => f64::INFINITY,
        (0x7fff, _) | (1.., 0) => f64::NAN,
        _ => rounded(mantissa, exponent.max(1) - 16446),
    };
    sign * magnitude
}

/// The f64 nearest to m 2^`exponent`, ties to even, in one rounding.
fn rounded(mantissa: u64, exponent: i32) -> f64 {
    let top = 64 - mantissa.leading_zeros().cast_signed() + exponent;
    if top > -1022 {
        return scale_by_power(mantissa as f64, exponent);
    }
    // A subnormal result has fewer bits: it counts units of 2^-1074.
    let dropped = (-1074 - exponent).clamp(0, 127);
    let (wide, half) = (u128::from(mantissa), (1u128 << dropped) >> 1);
    let (kept, rest) = (wide >> dropped, wide & ((1u128 << dropped) - 1));
    let up = rest > half || (rest == half && half > 0 && kept & 1 == 1);
    f64::from_bits((kept + u128::from(up)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_parts(mantissa: u64, exponent: i32, negative: bool) -> f64 {
        let head = (exponent as u16) | (u16::from(negative) << 15);
        extended(&[&mantissa.to_le_bytes()[..], &head.to_le_bytes(), &[7; 6]].concat())
    }

    /// The extended number of an f64.
    fn widened(value: f64) -> f64 {
        let bits = value.abs().to_bits();
        let exponent = (bits >> 52) as i32;
        let mantissa = (bits << 11) | (1 << 63);
        from_parts(mantissa, exponent - 1023 + 16383, value.is_sign_negative())
    }

    #[test]
    fn extended_numbers_are_rounded_once() {
        for value in [1.0, -1.5, 1.0 / 3.0, 1e300, -1e-300, f64::MAX, f64::MIN_POSITIVE] {
            assert_eq!(widened(value), value);
        }
        let one = |mantissa| from_parts(mantissa, 16383, false);
        assert_eq!(one((1 << 63) + (1 << 10)), 1.0, "a tie goes to even");
        assert_eq!(one((1 << 63) + (1 << 10) + 1), 1.0 + f64::EPSILON);
        assert_eq!(one((1 << 63) + (3 << 10)), 1.0 + 2.0 * f64::EPSILON, "a tie goes to even");
        assert_eq!(one(u64::MAX), 2.0);
        let least = f64::from_bits(1);
        let below = |exponent, mantissa| from_parts(mantissa, 16383 + exponent, true);
        assert_eq!(below(-1074, 1 << 63), -least);
        assert_eq!(below(-1075, 1 << 63), -0.0, "a tie goes to even");
        assert_eq!(below(-1075, (1 << 63) + 1), -least);
        // A rounding to 53 bits, and then to fewer, would go up to 2.
        assert_eq!(below(-1074, (3 << 62) - 1), -least);
        assert_eq!(below(-1023, u64::MAX), -f64::MIN_POSITIVE);
        assert_eq!(below(-4000, u64::MAX), -0.0);
        assert_eq!(below(4000, 1 << 63), f64::NEG_INFINITY);
        assert_eq!(from_parts(0, 0, false), 0.0);
        assert_eq!(from_parts(1 << 63, 0x7fff, true), f64::NEG_INFINITY);
        assert!(from_parts(3 << 62, 0x7fff, false).is_nan() && one(1 << 62).is_nan() && one(0).is_nan());
    }
}
