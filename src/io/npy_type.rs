//! The element type of an npy file, from its `descr`: any text that `numpy.dtype` takes.

use super::Element;
use super::entry::Layout;
use super::npy_literal::Descr;

/// The element type of a descr such as `<f4`.
#[derive(Debug)]
pub(super) struct Type {
    /// The type of the elements.
    pub element: Element,
    /// The order of the bytes, and the facts about raw elements.
    pub layout: Layout,
    /// The number of bytes of an element, where known.
    pub size: Option<usize>,
}

/// The names of numpy and ml_dtypes that stand without an order of bytes.
pub(super) const NAMES: [(&str, Element); 53] = [
    ("float64", Element::F64),
    ("double", Element::F64),
    ("float", Element::F64),
    ("float32", Element::F32),
    ("single", Element::F32),
    ("float16", Element::F16),
    ("half", Element::F16),
    ("float128", Element::F80 { bytes: 16 }),
    ("longdouble", Element::F80 { bytes: 16 }),
    ("float96", Element::F80 { bytes: 12 }),
    ("bfloat16", Element::Bf16),
    ("float8_e4m3fn", Element::F8E4M3),
    ("float8_e5m2", Element::F8E5M2),
    ("float8_e4m3fnuz", Element::F8E4M3Fnuz),
    ("float8_e5m2fnuz", Element::F8E5M2Fnuz),
    ("float8_e8m0fnu", Element::F8E8M0),
    ("float6_e2m3fn", Element::F6E2M3),
    ("float6_e3m2fn", Element::F6E3M2),
    ("float4_e2m1fn", Element::F4E2M1),
    ("int8", Element::I8),
    ("byte", Element::I8),
    ("int16", Element::I16),
    ("short", Element::I16),
    ("int32", Element::I32),
    ("intc", Element::I32),
    ("int64", Element::I64),
    ("int", Element::I64),
    ("int_", Element::I64),
    ("intp", Element::I64),
    ("long", Element::I64),
    ("longlong", Element::I64),
    ("uint8", Element::U8),
    ("ubyte", Element::U8),
    ("uint16", Element::U16),
    ("ushort", Element::U16),
    ("uint32", Element::U32),
    ("uintc", Element::U32),
    ("uint64", Element::U64),
    ("uint", Element::U64),
    ("uintp", Element::U64),
    ("ulong", Element::U64),
    ("ulonglong", Element::U64),
    ("bool", Element::Bool),
    ("bool_", Element::Bool),
    ("bool8", Element::Bool),
    ("complex64", Element::C64),
    ("csingle", Element::C64),
    ("singlecomplex", Element::C64),
    ("complex128", Element::C128),
    ("cdouble", Element::C128),
    ("complex", Element::C128),
    ("complex_", Element::C128),
    ("cfloat", Element::C128),
];

/// The codes that may stand behind an order of bytes. `f1` is E5M2, as ml_dtypes writes it.
const CODES: [(&str, Element); 39] = [
    ("f8", Element::F64),
    ("d", Element::F64),
    ("f4", Element::F32),
    ("f", Element::F32),
    ("f2", Element::F16),
    ("e", Element::F16),
    ("f1", Element::F8E5M2),
    ("f16", Element::F80 { bytes: 16 }),
    ("g", Element::F80 { bytes: 16 }),
    ("f12", Element::F80 { bytes: 12 }),
    ("i1", Element::I8),
    ("b", Element::I8),
    ("i2", Element::I16),
    ("h", Element::I16),
    ("i4", Element::I32),
    ("i", Element::I32),
    ("i8", Element::I64),
    ("l", Element::I64),
    ("q", Element::I64),
    ("p", Element::I64),
    ("n", Element::I64),
    ("u1", Element::U8),
    ("B", Element::U8),
    ("u2", Element::U16),
    ("H", Element::U16),
    ("u4", Element::U32),
    ("I", Element::U32),
    ("u8", Element::U64),
    ("L", Element::U64),
    ("Q", Element::U64),
    ("P", Element::U64),
    ("N", Element::U64),
    ("b1", Element::Bool),
    ("?", Element::Bool),
    ("c8", Element::C64),
    ("F", Element::C64),
    ("c16", Element::C128),
    ("D", Element::C128),
    ("V2", Element::Bf16),
];

/// The type of a name or a code.
pub(super) fn known(list: &[(&str, Element)], name: &str) -> Option<Element> {
    list.iter().find(|(known, _)| *known == name).map(|(_, element)| element.clone())
}

impl Type {
    /// The type of a descr; a type that cannot be read is [`Element::Other`].
    pub fn parse(descr: &Descr) -> Self {
        let Descr::Plain(descr) = descr else {
            return Self::other("structured", None);
        };
        let (order, code) = match descr.chars().next() {
            Some(order @ ('<' | '>' | '=' | '|')) => (Some(order), &descr[1..]),
            _ => (None, descr.as_str()),
        };
        let big_endian = match order {
            Some('<') => false,
            Some('>') => true,
            // The order of the machine, because numpy reads `=` and `|` so, and writes neither for numbers.
            _ => cfg!(target_endian = "big"),
        };
        let kind = code.chars().next().unwrap_or(' ');
        let digits = &code[kind.len_utf8().min(code.len())..];
        // The digits end at `[`, because the unit of `M8[ns]` is no part of the size.
        let digits = digits.split('[').next().unwrap_or_default();
        let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
        let named = if order.is_none() { known(&NAMES, code) } else { None };
        if let Some(element) = named.or_else(|| known(&CODES, code)) {
            let raw = number.filter(|_| kind == 'V');
            let layout = Layout { big_endian, is_unpacked: element.bits() < 8, raw, ..Layout::default() };
            return Self { size: Some(element.size()), element, layout };
        }
        match kind {
            'V' => {
                Self { layout: Layout { big_endian, raw: number, ..Layout::default() }, ..Self::other(code, number) }
            }
            'b' | 'i' | 'u' | 'f' | 'c' | 'm' | 'M' | 'S' | 'a' => Self::other(code, number),
            // With the order, because `U8` alone would read as the integer type `u8`.
            'U' => Self::other(descr, number.and_then(|characters| characters.checked_mul(4))),
            _ => Self::other(code, None),
        }
    }

    fn other(name: &str, size: Option<usize>) -> Self {
        Self { element: Element::Other(name.to_owned()), layout: Layout::default(), size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_types() {
        let names: std::collections::HashSet<_> = NAMES.iter().chain(&CODES).map(|(name, _)| name).collect();
        assert_eq!(names.len(), NAMES.len() + CODES.len());
    }
}
