//! The entry of a tensor in a file, before its data is read.

use std::ops::Range;
use std::path::PathBuf;

use super::Element;
use super::integer::Integer;
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

    /// The bytes of the data once unpacked; 0 where the type cannot be read.
    pub(super) fn bytes(&self) -> usize {
        let integer = Integer::of(&self.element).map(|integer| integer.bytes);
        self.elements().saturating_mul(integer.unwrap_or_else(|| self.element.size()))
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
        if self.is_sparse() { None } else { self.element.skipped() }
    }

    /// Whether this is a sparse matrix, whose entries [`Checkpoint::read_sparse`](super::Checkpoint::read_sparse)
    /// reads.
    pub fn is_sparse(&self) -> bool {
        matches!(self.place, Place::Sparse { .. })
    }

    /// The number of values in the file: of a sparse matrix those of its header, else [`Entry::elements`].
    pub fn stored(&self) -> usize {
        match self.place {
            Place::Sparse { stored } => stored,
            _ => self.elements(),
        }
    }
}

/// The order of the elements, and of the bytes of an element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    /// The first axis varies fastest, not the last.
    pub column_major: bool,
    /// The most significant byte comes first.
    pub big_endian: bool,
}

/// The location of the data.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Bytes of the file.
    Bytes { contents: usize, range: Range<usize> },
    /// A member of a zip archive, after its npy header.
    #[cfg_attr(not(feature = "io-npy"), allow(dead_code, reason = "only npz has members"))]
    Member { number: usize, header: usize, deflated: bool },
    /// The arrays or lines of a sparse matrix, with the number of entries that its header says.
    #[cfg_attr(not(any(feature = "io-npy", feature = "io-mtx")), allow(dead_code, reason = "no such files"))]
    Sparse { stored: usize },
}
