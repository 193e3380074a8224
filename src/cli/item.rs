//! The items of a run.

use std::path::{Path, PathBuf};

use opnorm::audit::Target;

/// A tensor to measure, or the reason why an input cannot be measured.
#[derive(Debug)]
pub enum Item<'a> {
    /// A tensor.
    Tensor(Target<'a>),
    /// An input that cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The requested tensor, where the argument names a tensor.
        name: Option<String>,
        /// The reason.
        problem: String,
    },
}

impl Item<'_> {
    /// The file of the item.
    pub fn file(&self) -> &Path {
        match self {
            Self::Tensor(target) => &target.entry.file,
            Self::Unreadable { file, .. } => file,
        }
    }

    /// Whether the item needs a device.
    pub fn is_tensor(&self) -> bool {
        matches!(self, Self::Tensor(_))
    }
}
