//! The tensors to measure.

use super::Axes;
use crate::io::{Checkpoint, Entry};
use crate::layer::pytorch::{Role, StoredWeight, StoredWeights};

/// A tensor to measure.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target<'a> {
    /// The file of the tensor.
    pub checkpoint: &'a Checkpoint,
    /// The tensor in the file; of a weight in parts, the plain weight.
    pub entry: &'a Entry,
    /// The meaning of the tensor's axes beyond two, in place of that of the options.
    pub axes: Axes,
    /// The weight in parts.
    pub stored: Option<&'a StoredWeight>,
    /// A remark for the note of the row.
    pub note: Option<&'a str>,
    /// Bytes in place of those of the file.
    pub(super) bytes: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// A tensor as the file holds it.
    pub fn new(checkpoint: &'a Checkpoint, entry: &'a Entry, axes: Axes) -> Self {
        Self { checkpoint, entry, axes, stored: None, note: None, bytes: None }
    }
}

/// The tensors of a checkpoint, in the order of its entries. A weight in parts is one target in the place of its main
/// part, under its plain name; a part that belongs to no whole weight is a tensor for itself, with a remark.
pub fn targets<'a>(checkpoint: &'a Checkpoint, stored: &'a StoredWeights, axes: Axes) -> Vec<Target<'a>> {
    let target = |(entry, role): (&'a Entry, Role<'a>)| {
        let plain = Target::new(checkpoint, entry, axes);
        match role {
            Role::Weight(weight) => Some(Target { entry: weight.matrix(), stored: Some(weight), ..plain }),
            Role::Part => None,
            Role::Broken(problem) => Some(Target { note: Some(problem), ..plain }),
            Role::Plain => Some(plain),
        }
    };
    checkpoint.entries().iter().zip(stored.roles()).filter_map(target).collect()
}
