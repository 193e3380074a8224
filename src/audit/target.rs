//! The tensors to measure.

use super::Axes;
use crate::Result;
use crate::io::{Checkpoint, Entry};
use crate::layer::pytorch::{Role, StoredWeight, StoredWeights, stored_weights};
use crate::layer::quantised::{QuantisedRole, QuantisedWeight, QuantisedWeights, quantised_weights};
use crate::tensor::ElementSource;

/// A tensor to measure.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target<'a> {
    /// The file of the tensor.
    pub checkpoint: &'a Checkpoint,
    /// The tensor in the file; of a weight in parts or with scales, the plain weight.
    pub entry: &'a Entry,
    /// The meaning of the tensor's axes beyond two, in place of that of the options.
    pub axes: Axes,
    /// The weight in parts.
    pub stored: Option<&'a StoredWeight>,
    /// The weight with scales.
    pub quantised: Option<&'a QuantisedWeight>,
    /// A remark for the note of the row.
    pub note: Option<&'a str>,
    /// Bytes in place of those of the file.
    pub(super) bytes: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// A tensor as the file holds it.
    pub fn new(checkpoint: &'a Checkpoint, entry: &'a Entry, axes: Axes) -> Self {
        Self { checkpoint, entry, axes, stored: None, quantised: None, note: None, bytes: None }
    }

    /// The elements that are measured: those of the file, or of the plain weight.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a tensor that cannot be read.
    pub fn read(&self) -> Result<Box<dyn ElementSource + Sync + 'a>> {
        if let Some(weight) = self.quantised {
            return Ok(Box::new(weight.read(self.checkpoint)?));
        }
        match self.stored {
            Some(weight) => Ok(Box::new(weight.effective_matrix(self.checkpoint)?.0)),
            None => Ok(Box::new(self.checkpoint.read(self.entry)?)),
        }
    }
}

/// The weights of a checkpoint that are stored in parts or with scales.
#[derive(Clone, Debug)]
pub struct Weights {
    in_parts: StoredWeights,
    quantised: QuantisedWeights,
}

impl Weights {
    /// Finds the weights of a checkpoint, by names, types and shapes alone.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        Self { in_parts: stored_weights(checkpoint), quantised: quantised_weights(checkpoint) }
    }
}

/// The tensors of a checkpoint, in the order of its entries.
///
/// A weight in parts, or with scales, is one target in the place of its main part, under its plain name. A part that
/// belongs to no whole weight is a tensor for itself, with a remark.
pub fn targets<'a>(checkpoint: &'a Checkpoint, weights: &'a Weights, axes: Axes) -> Vec<Target<'a>> {
    let target = |((entry, role), quantised): ((&'a Entry, Role<'a>), QuantisedRole<'a>)| {
        let plain = Target::new(checkpoint, entry, axes);
        match (role, quantised) {
            (Role::Weight(weight), _) => Some(Target { entry: weight.matrix(), stored: Some(weight), ..plain }),
            (Role::Part, _) | (_, QuantisedRole::Scale) => None,
            (_, QuantisedRole::Weight(weight)) => {
                Some(Target { entry: weight.entry(), quantised: Some(weight), note: Some(weight.note()), ..plain })
            }
            (Role::Broken(problem), _) | (_, QuantisedRole::Broken(problem)) => {
                Some(Target { note: Some(problem), ..plain })
            }
            (Role::Plain, QuantisedRole::Plain) => Some(plain),
        }
    };
    let roles = weights.in_parts.roles().zip(weights.quantised.roles());
    let all = checkpoint.entries().iter().zip(roles).map(|(entry, (role, quantised))| ((entry, role), quantised));
    all.filter_map(target).collect()
}
