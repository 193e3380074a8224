//! The things that a run measures.

use std::path::{Path, PathBuf};

use opnorm::audit::Axes;
use opnorm::io::{Checkpoint, Entry};

/// A tensor to measure, or the reason why an input cannot be measured.
#[derive(Debug)]
pub enum Item<'a> {
    /// A tensor.
    Tensor {
        /// The file that holds it.
        checkpoint: &'a Checkpoint,
        /// The tensor in the file.
        entry: &'a Entry,
        /// The meaning of its axes beyond two.
        axes: Axes,
    },
    /// An input that cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The tensor that was asked for, where one was named.
        name: Option<String>,
        /// The reason.
        problem: String,
    },
}

impl Item<'_> {
    /// The file that the item is of.
    pub fn file(&self) -> &Path {
        match self {
            Self::Tensor { entry, .. } => &entry.file,
            Self::Unreadable { file, .. } => file,
        }
    }

    /// Whether the item needs a device.
    pub fn is_tensor(&self) -> bool {
        matches!(self, Self::Tensor { .. })
    }
}
