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
    /// Any type that cannot be read here, by the file's own name: `I64`, `F8_E4M3`, `i8`, `V2`.
    Other(String),
}

impl Element {
    /// Whether tensors of this type can be read.
    pub fn is_float(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Bytes of one element; 0 for [`Element::Other`].
    pub fn size(&self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Other(_) => 0,
        }
    }

    /// The reason why a tensor of this type cannot be the input of a norm; `None` where it can.
    pub(super) fn skipped(&self) -> Option<String> {
        let Self::Other(name) = self else { return None };
        let lower = name.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "structured" => "records with several fields",
            "bytes" => "no numpy array but raw bytes",
            "bool" | "b1" => "booleans",
            "o" => "pickled Python objects",
            "float96" | "float128" => "extended floats, whose format differs between machines",
            name if name.starts_with(['i', 'u']) => "integers",
            name if name.starts_with('c') => "complex numbers",
            name if name.starts_with("f8_") || name.starts_with("f6_") || name == "f4" => {
                "floats of 8 bits or fewer, which mean nothing without their scales"
            }
            name if name.starts_with('v') => "raw bytes of unknown meaning (some writers store bf16 so)",
            name if name.starts_with('m') => "dates or durations",
            name if name.starts_with(['<', '>', '=', 's', 'a']) => "text",
            _ => "of a type that is not known here",
        };
        Some(format!("The elements ({self}) are {kind}; a norm is taken of f64, f32, f16 or bf16."))
    }
}

/// `f64`, `f32`, `f16`, `bf16`, or the file's own name in lower case.
impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F64 => formatter.pad("f64"),
            Self::F32 => formatter.pad("f32"),
            Self::F16 => formatter.pad("f16"),
            Self::Bf16 => formatter.pad("bf16"),
            Self::Other(name) => formatter.pad(&name.to_lowercase()),
        }
    }
}
