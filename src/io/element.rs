//! The types of elements in files.

use std::fmt;

/// The type of the elements of a tensor in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// IEEE 754 binary64.
    F64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    Bf16,
    /// The extended precision of x86, 80 bits in 12 or 16 bytes: numpy's long double.
    F80 {
        /// The bytes of an element.
        bytes: usize,
    },
    /// 4 bits of exponent, 3 of mantissa; without infinity.
    F8E4M3,
    /// 5 bits of exponent, 2 of mantissa.
    F8E5M2,
    /// [`Element::F8E4M3`] with a bias of 8, and neither infinity nor negative zero.
    F8E4M3Fnuz,
    /// [`Element::F8E5M2`] with a bias of 16, and neither infinity nor negative zero.
    F8E5M2Fnuz,
    /// A power of two: 8 bits of exponent, no sign.
    F8E8M0,
    /// 2 bits of exponent, 3 of mantissa.
    F6E2M3,
    /// 3 bits of exponent, 2 of mantissa.
    F6E3M2,
    /// 2 bits of exponent, 1 of mantissa.
    F4E2M1,
    /// An integer of 8 bits.
    I8,
    /// An integer of 16 bits.
    I16,
    /// An integer of 32 bits.
    I32,
    /// An integer of 64 bits.
    I64,
    /// An integer of 8 bits without a sign.
    U8,
    /// An integer of 16 bits without a sign.
    U16,
    /// An integer of 32 bits without a sign.
    U32,
    /// An integer of 64 bits without a sign.
    U64,
    /// A byte that is 0, or true.
    Bool,
    /// A complex number of two binary32.
    C64,
    /// A complex number of two binary64.
    C128,
    /// Any type that cannot be read here, by the file's own name: `V1`, `O`, `structured`.
    Other(String),
}

/// The types that can be read, with their names and their bits. In upper case a name is that of safetensors.
const TYPES: [(Element, &str, usize); 25] = [
    (Element::F64, "f64", 64),
    (Element::F32, "f32", 32),
    (Element::F16, "f16", 16),
    (Element::Bf16, "bf16", 16),
    (Element::F80 { bytes: 12 }, "f80", 96),
    (Element::F80 { bytes: 16 }, "f80", 128),
    (Element::F8E4M3, "f8_e4m3", 8),
    (Element::F8E5M2, "f8_e5m2", 8),
    (Element::F8E4M3Fnuz, "f8_e4m3fnuz", 8),
    (Element::F8E5M2Fnuz, "f8_e5m2fnuz", 8),
    (Element::F8E8M0, "f8_e8m0", 8),
    (Element::F6E2M3, "f6_e2m3", 6),
    (Element::F6E3M2, "f6_e3m2", 6),
    (Element::F4E2M1, "f4", 4),
    (Element::I8, "i8", 8),
    (Element::I16, "i16", 16),
    (Element::I32, "i32", 32),
    (Element::I64, "i64", 64),
    (Element::U8, "u8", 8),
    (Element::U16, "u16", 16),
    (Element::U32, "u32", 32),
    (Element::U64, "u64", 64),
    (Element::Bool, "bool", 8),
    (Element::C64, "c64", 64),
    (Element::C128, "c128", 128),
];

impl Element {
    /// The type of a safetensors file by its name there: `F8_E4M3`, `I64`. [`Element::Other`] for an unknown name.
    #[cfg_attr(not(feature = "io-safetensors"), allow(dead_code, reason = "names of safetensors"))]
    pub(super) fn of_safetensors(name: &str) -> Self {
        let known = TYPES.iter().find(|(element, word, _)| {
            !matches!(element, Self::F80 { .. } | Self::C128) && word.to_uppercase() == name
        });
        known.map_or_else(|| Self::Other(name.to_owned()), |(element, ..)| element.clone())
    }

    /// Whether the type is one of those that results are written in: f64, f32, f16 or bf16.
    pub fn is_float(&self) -> bool {
        matches!(self, Self::F64 | Self::F32 | Self::F16 | Self::Bf16)
    }

    /// Whether the elements are complex numbers.
    pub fn is_complex(&self) -> bool {
        matches!(self, Self::C64 | Self::C128)
    }

    /// Whether every element is a number that f32 holds.
    pub fn fits_f32(&self) -> bool {
        !matches!(
            self,
            Self::F64 | Self::F80 { .. } | Self::I32 | Self::I64 | Self::U32 | Self::U64 | Self::C128 | Self::Other(_)
        )
    }

    /// Whether every element is a number that f64 holds, or a pair of such numbers.
    pub fn fits_f64(&self) -> bool {
        !matches!(self, Self::F80 { .. } | Self::I64 | Self::U64 | Self::Other(_))
    }

    /// Bits of one element; 0 for [`Element::Other`].
    pub fn bits(&self) -> usize {
        TYPES.iter().find(|(element, ..)| element == self).map_or(0, |(.., bits)| *bits)
    }

    /// Bytes of one element that shares no byte with another; 0 for [`Element::Other`].
    pub fn size(&self) -> usize {
        self.bits().div_ceil(8)
    }

    /// The reason why a tensor of this type cannot be the input of a norm; `None` where it can.
    pub(super) fn skipped(&self) -> Option<String> {
        let Self::Other(name) = self else { return None };
        let lower = name.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "structured" => "records with several fields",
            "bytes" => "no numpy array but raw bytes",
            "o" | "object" => "pickled Python objects",
            "v1" => {
                "raw bytes: fp8 as some writers store it, which does not tell its kind; name the kind by `--dtype` e4m3, \
                 e5m2, e4m3fnuz, e5m2fnuz, e8m0 or e2m1"
            }
            "c24" | "c32" => "complex numbers of extended floats",
            name if name.starts_with('v') => "raw bytes of unknown meaning",
            name if name.starts_with('m') => "dates or durations",
            name if name.starts_with(['<', '>', '=', 's', 'a']) => "text",
            _ => "of a type that is not known here",
        };
        Some(format!(
            "The elements ({self}) are {kind}; a norm is taken of floats, integers, booleans and complex numbers."
        ))
    }
}

/// `f64`, `f8_e4m3`, `i64`, or the file's own name in lower case.
impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, TYPES.iter().find(|(element, ..)| element == self)) {
            (Self::Other(name), _) => formatter.pad(&name.to_lowercase()),
            (_, Some((_, name, _))) => formatter.pad(name),
            (_, None) => formatter.pad("f80"),
        }
    }
}
