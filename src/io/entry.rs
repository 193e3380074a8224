//! The entry of a tensor in a file, before its data is read.

use std::ops::Range;
use std::path::PathBuf;

use super::Element;
use crate::tensor::size::checked_volume;

/// The entry of a tensor in a [`Checkpoint`](super::Checkpoint).
#[derive(Debug, Clone)]
pub struct Entry {
    /// The file with the data; for a sharded checkpoint the shard.
    pub file: PathBuf,
    /// The tensor's name; for a `.npy` file the file's name without its extension.
    pub name: String,
    /// The lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// The type of the elements.
    pub element: Element,
    pub(super) layout: Layout,
    pub(super) place: Place,
    /// The index in the checkpoint's list, by which a changed copy still leads to the checked original.
    pub(super) index: usize,
}

impl Entry {
    /// The number of elements: the product of the shape, 1 for a scalar.
    pub fn elements(&self) -> usize {
        // the product was checked when the file was opened, but the field is public: a changed shape must not overflow
        checked_volume(&self.shape).unwrap_or(usize::MAX)
    }

    /// The bytes of the data once decompressed; 0 where the type cannot be read.
    pub fn bytes(&self) -> usize {
        let bits = if self.layout.is_unpacked { 8 } else { self.element.bits() };
        let elements = self.elements();
        // In parts of 8, because the bits of a large tensor overflow before its bytes do.
        (elements / 8).saturating_mul(bits).saturating_add((elements % 8 * bits).div_ceil(8))
    }

    /// The assumption by which the elements are read, where the file leaves their type open.
    pub fn assumption(&self) -> Option<String> {
        match (self.layout.raw, &self.element) {
            (_, Element::F80 { .. }) => Some("long doubles are read as the 80 bits of x86".to_owned()),
            (Some(2), Element::Bf16) if !self.layout.is_told => {
                Some("raw elements of 2 bytes (V2) are read as bf16, as ml_dtypes writes them".to_owned())
            }
            (Some(bytes), element) if element.skipped().is_none() => {
                Some(format!("raw elements of {bytes} bytes (V{bytes}) are read as {element}, as told"))
            }
            _ => None,
        }
    }

    /// The entry of a tensor that is computed from this tensor, with elements of the same type.
    #[cfg(feature = "io")]
    pub(crate) fn computed(&self, name: &str, shape: &[usize]) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            layout: Layout::default(),
            // No place in the file, so that no checkpoint takes the entry for its own.
            place: Place::Bytes { contents: usize::MAX, range: 0..0 },
            index: usize::MAX,
            ..self.clone()
        }
    }

    /// The reason why this tensor cannot be the input of a norm, as a sentence; `None` where it can.
    pub fn skipped(&self) -> Option<String> {
        self.element.skipped()
    }
}

/// The order of the elements, and of the bytes of an element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    /// The first axis varies fastest, not the last.
    pub column_major: bool,
    /// The most significant byte comes first.
    pub big_endian: bool,
    /// Each element has a byte of its own, also where the type has fewer bits.
    pub is_unpacked: bool,
    /// The bytes of an element of raw bytes, whose type the file leaves open.
    pub raw: Option<usize>,
    /// The caller told the type of raw elements.
    pub is_told: bool,
}

/// The location of the data.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Bytes of the file.
    Bytes { contents: usize, range: Range<usize> },
    /// A member of a zip archive, after its npy header.
    #[cfg_attr(not(feature = "io-npy"), allow(dead_code, reason = "only npz has members"))]
    Member { number: usize, header: usize, deflated: bool },
}
