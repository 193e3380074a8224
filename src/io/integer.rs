//! The integers and booleans of files, of any size.

use super::Element;

/// The type of integers: 1, 2, 4 or 8 bytes, in two's complement where the type has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    pub bytes: usize,
    pub is_signed: bool,
}

impl Integer {
    /// The type by the name of numpy (`i8`: 8 bytes) or of safetensors (`I8`: 8 bits); a boolean is a byte.
    pub fn of(element: &Element) -> Option<Self> {
        let Element::Other(name) = element else { return None };
        let (is_signed, bytes) = match name.as_str() {
            "b1" | "BOOL" | "u1" | "U8" => (false, 1),
            "u2" | "U16" => (false, 2),
            "u4" | "U32" => (false, 4),
            "u8" | "U64" => (false, 8),
            "i1" | "I8" => (true, 1),
            "i2" | "I16" => (true, 2),
            "i4" | "I32" => (true, 4),
            "i8" | "I64" => (true, 8),
            _ => return None,
        };
        Some(Self { bytes, is_signed })
    }

    /// The integer of some bytes.
    pub fn decode<const SIZE: usize>(self, mut bytes: [u8; SIZE], big_endian: bool) -> i128 {
        if big_endian {
            bytes.reverse();
        }
        let is_negative = self.is_signed && bytes.last().is_some_and(|last| *last >= 128);
        let mut wide = [if is_negative { 255 } else { 0 }; 16];
        wide[..SIZE].copy_from_slice(&bytes);
        i128::from_le_bytes(wide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_integers_of_either_order_and_sign() {
        let of = |name: &str| Integer::of(&Element::Other(name.to_owned())).unwrap();
        assert_eq!(of("i8").decode((-3i64).to_le_bytes(), false), -3);
        assert_eq!(of("i2").decode((-300i16).to_be_bytes(), true), -300);
        assert_eq!(of("u8").decode(u64::MAX.to_le_bytes(), false), i128::from(u64::MAX));
        assert_eq!(of("I8").decode((-128i8).to_le_bytes(), false), -128);
        assert_eq!(of("b1").decode([1], false), 1);
        assert_eq!(of("U8").bytes, 1, "a type of safetensors counts bits");
        assert!(Integer::of(&Element::Other("U8_E4".to_owned())).is_none() && Integer::of(&Element::F32).is_none());
    }
}
