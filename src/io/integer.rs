//! The integers and booleans of files, of any size.

use super::Element;

/// The type of integers: 1, 2, 4 or 8 bytes, in two's complement where the type has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    pub bytes: usize,
    is_signed: bool,
    is_boolean: bool,
}

impl Integer {
    /// The integers of a type; a boolean is a byte.
    pub fn of(element: &Element) -> Option<Self> {
        let (bytes, is_signed) = match element {
            Element::Bool | Element::U8 => (1, false),
            Element::U16 => (2, false),
            Element::U32 => (4, false),
            Element::U64 => (8, false),
            Element::I8 => (1, true),
            Element::I16 => (2, true),
            Element::I32 => (4, true),
            Element::I64 => (8, true),
            _ => return None,
        };
        Some(Self { bytes, is_signed, is_boolean: *element == Element::Bool })
    }

    /// The integer of some bytes, the lowest first.
    pub fn decode<const SIZE: usize>(self, bytes: [u8; SIZE]) -> i128 {
        let is_negative = self.is_signed && bytes.last().is_some_and(|last| *last >= 128);
        let mut wide = [if is_negative { 255 } else { 0 }; 16];
        wide[..SIZE].copy_from_slice(&bytes);
        let integer = i128::from_le_bytes(wide);
        if self.is_boolean { integer.min(1) } else { integer }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_integers_of_either_sign() {
        let of = |element: &Element| Integer::of(element).unwrap();
        assert_eq!(of(&Element::I64).decode((-3i64).to_le_bytes()), -3);
        assert_eq!(of(&Element::I16).decode((-300i16).to_le_bytes()), -300);
        assert_eq!(of(&Element::U64).decode(u64::MAX.to_le_bytes()), i128::from(u64::MAX));
        assert_eq!(of(&Element::I8).decode((-128i8).to_le_bytes()), -128);
        assert_eq!((of(&Element::Bool).decode([1]), of(&Element::Bool).decode([2])), (1, 1));
        assert!(Integer::of(&Element::Other("u8".to_owned())).is_none() && Integer::of(&Element::F32).is_none());
    }
}
