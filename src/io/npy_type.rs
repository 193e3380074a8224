//! The element type of an npy file, from its `descr`.

use super::Element;
use super::npy_literal::Descr;

/// The element type that a descr such as `<f4` names.
#[derive(Debug)]
pub(super) struct Type {
    /// The type of the elements.
    pub element: Element,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// Bytes of one element, where that is known.
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
            // numpy writes neither of the two for numbers, and reads them as the machine's own order
            _ => cfg!(target_endian = "big"),
        };
        let kind = name.chars().next().unwrap_or(' ');
        let digits = &name[kind.len_utf8().min(name.len())..];
        // `M8[ns]`: the unit is no part of the size
        let digits = digits.split('[').next().unwrap_or_default();
        let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
        let (element, size) = match (name, kind) {
            ("f8", _) => (Element::F64, Some(8)),
            ("f4", _) => (Element::F32, Some(4)),
            ("f2", _) => (Element::F16, Some(2)),
            // `f16` would read as a binary16 everywhere else
            ("f12" | "f16", _) => {
                (Element::Other(if name == "f12" { "float96" } else { "float128" }.to_owned()), number)
            }
            (_, 'b' | 'i' | 'u' | 'c' | 'm' | 'M' | 'V' | 'S' | 'a') => (Element::Other(name.to_owned()), number),
            // with the order, since `u8` in other cases is an integer
            (_, 'U') => (Element::Other(descr.clone()), number.and_then(|characters: usize| characters.checked_mul(4))),
            _ => (Element::Other(name.to_owned()), None),
        };
        Self { element, big_endian, size }
    }
}
