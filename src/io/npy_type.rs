//! The element type of an npy file, from its `descr`.

use super::Element;
use super::npy_literal::Descr;

/// The element type of a descr such as `<f4`.
#[derive(Debug)]
pub(super) struct Type {
    /// The type of the elements.
    pub element: Element,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// The number of bytes of an element, where known.
    pub size: Option<usize>,
}

impl Type {
    /// The type of a descr; a type that cannot be read is [`Element::Other`].
    pub fn parse(descr: &Descr) -> Self {
        let Descr::Plain(descr) = descr else {
            return Self { element: Element::Other("structured".to_owned()), big_endian: false, size: None };
        };
        let (order, name) = match descr.chars().next() {
            Some(order @ ('<' | '>' | '=' | '|')) => (order, &descr[1..]),
            _ => ('=', descr.as_str()),
        };
        let big_endian = match order {
            '<' => false,
            '>' => true,
            // The order of the machine, because numpy reads `=` and `|` so, and writes neither for numbers.
            _ => cfg!(target_endian = "big"),
        };
        let kind = name.chars().next().unwrap_or(' ');
        let digits = &name[kind.len_utf8().min(name.len())..];
        // The digits end at `[`, because the unit of `M8[ns]` is no part of the size.
        let digits = digits.split('[').next().unwrap_or_default();
        let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
        let (element, size) = match (name, kind) {
            ("f8", _) => (Element::F64, Some(8)),
            ("f4", _) => (Element::F32, Some(4)),
            ("f2", _) => (Element::F16, Some(2)),
            // Another name, because `f16` means binary16 everywhere else.
            ("f12" | "f16", _) => {
                (Element::Other(if name == "f12" { "float96" } else { "float128" }.to_owned()), number)
            }
            (_, 'b' | 'i' | 'u' | 'c' | 'm' | 'M' | 'V' | 'S' | 'a') => (Element::Other(name.to_owned()), number),
            // With the order, because `U8` alone would read as the integer type `u8`.
            (_, 'U') => (Element::Other(descr.clone()), number.and_then(|characters: usize| characters.checked_mul(4))),
            _ => (Element::Other(name.to_owned()), None),
        };
        Self { element, big_endian, size }
    }
}
