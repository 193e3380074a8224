//! The entry of a tensor in a file, before its data is read.

use std::ops::Range;
use std::path::{Path, PathBuf};

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
    /// A remark about the tensor, for readers of its numbers.
    pub(super) note: Option<String>,
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
            place: match &self.place {
                Place::Nowhere(lack) => Place::Nowhere(lack.clone()),
                _ => Place::Bytes { contents: usize::MAX, range: 0..0 },
            },
            index: usize::MAX,
            ..self.clone()
        }
    }

    /// The reason why this tensor cannot be the input of a norm, as a sentence; `None` where it can.
    pub fn skipped(&self) -> Option<String> {
        match &self.place {
            Place::Nowhere(Lack { reason, kind: LackKind::NoTensor }) => Some(reason.clone()),
            // The reason of a damaged tensor is its damage.
            Place::Nowhere(_) => None,
            Place::Sparse { .. } => None,
            _ => self.element.skipped(),
        }
    }

    /// The reason why this tensor is not there, or not whole: a missing shard, bytes beyond the end of the file.
    pub fn damage(&self) -> Option<&str> {
        match &self.place {
            Place::Nowhere(Lack { reason, kind: LackKind::Absent | LackKind::Broken }) => Some(reason),
            _ => None,
        }
    }

    /// Whether the shape and the type of the elements are known; the fields are empty where they are not.
    pub fn is_described(&self) -> bool {
        !matches!(&self.place, Place::Nowhere(lack) if lack.kind != LackKind::Broken)
    }

    /// A remark, such as on a tensor of a shard that the index does not list.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The entry of a tensor that no file describes.
    pub(super) fn absent(file: &Path, name: impl Into<String>, lack: Lack) -> Self {
        Self {
            file: file.to_path_buf(),
            name: name.into(),
            shape: Vec::new(),
            element: Element::Other(String::new()),
            layout: Layout::default(),
            place: Place::Nowhere(lack),
            note: None,
            index: 0,
        }
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
    /// A view of a storage of PyTorch.
    #[cfg(feature = "io-pytorch")]
    Strided(Box<Strided>),
    /// No data that can be read.
    Nowhere(Lack),
    /// The arrays or lines of a sparse matrix, with the number of entries that its header says.
    #[cfg_attr(not(any(feature = "io-npy", feature = "io-mtx")), allow(dead_code, reason = "no such files"))]
    Sparse { stored: usize },
}

/// A view of a storage, which is a member of a zip archive.
#[cfg(feature = "io-pytorch")]
#[derive(Debug, Clone)]
pub(super) struct Strided {
    pub contents: usize,
    /// The number of the storage among the members.
    pub member: usize,
    pub deflated: bool,
    /// The bytes of the storage from the first element to the last.
    pub range: Range<usize>,
    /// The bytes of an element.
    pub size: usize,
    /// The elements from one to the next along each axis; `None` where the bytes of the range are the tensor's own.
    pub strides: Option<Vec<usize>>,
}

#[cfg(feature = "io-pytorch")]
impl Strided {
    /// The bytes that a read makes of so many elements.
    pub fn unpacked_bytes(&self, elements: usize) -> u64 {
        let copied = self.deflated || self.strides.is_some();
        if copied { (elements as u64).saturating_mul(self.size as u64) } else { 0 }
    }
}

/// The reason why there is no data.
#[derive(Debug, Clone)]
pub(super) struct Lack {
    pub reason: String,
    pub kind: LackKind,
}

/// The kinds of entries without data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LackKind {
    /// Only the name is known.
    Absent,
    /// Name, shape and type are known, but the data is not there or not whole.
    Broken,
    /// A value that is no tensor.
    #[cfg_attr(not(feature = "io-pytorch"), allow(dead_code, reason = "only pickles hold other values"))]
    NoTensor,
}

impl Lack {
    /// The lack of everything but the name.
    pub fn absent(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: LackKind::Absent }
    }

    /// The value that is no tensor.
    #[cfg(feature = "io-pytorch")]
    pub fn no_tensor(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: LackKind::NoTensor }
    }

    /// The lack of the data alone.
    pub fn broken(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: LackKind::Broken }
    }
}
