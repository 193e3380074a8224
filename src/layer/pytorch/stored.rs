//! The weights of a checkpoint that are stored in parts.

use super::names::{Group, Listed, StateFormat, groups};
use crate::io::{Checkpoint, Entry};
use crate::tensor::volume;

/// A weight that is stored in parts.
#[derive(Clone, Debug)]
pub struct StoredWeight {
    pub(super) format: StateFormat,
    /// The plain weight, as the layer uses it.
    pub(super) plain: Entry,
    /// The matrix of the plain weight.
    pub(super) matrix: Entry,
    /// W, or v of weight normalisation.
    pub(super) weight: Entry,
    /// u and v, or g alone.
    pub(super) others: Vec<Entry>,
    /// The axes that may be the axis of the rows; empty where the norm is of the whole tensor.
    pub(super) axes: Vec<usize>,
}

impl StoredWeight {
    fn new(entries: &[Entry], group: Group) -> Self {
        let weight = entries[group.weight].clone();
        let mut shape = weight.shape.clone();
        // The norm of a matrix is that of its transpose, so that a matrix stays as it is.
        if let (Some(&axis), true, true) = (group.axes.first(), shape.len() > 2, group.format.is_spectral()) {
            let rows = shape.remove(axis);
            shape.insert(0, rows);
        }
        Self {
            format: group.format,
            plain: weight.computed(&group.name, &weight.shape),
            matrix: weight.computed(&group.name, &shape),
            others: group.others.iter().map(|&other| entries[other].clone()).collect(),
            weight,
            axes: group.axes,
        }
    }

    /// The name of the plain weight, `layer.weight`.
    pub fn name(&self) -> &str {
        &self.plain.name
    }

    /// The format of the parts.
    pub fn format(&self) -> StateFormat {
        self.format
    }

    /// The plain weight: its name, shape and type. No checkpoint holds its data: [`StoredWeight::effective`] does.
    pub fn entry(&self) -> &Entry {
        &self.plain
    }

    /// The plain weight with the axis of the rows first, as spectral normalisation reads it.
    pub(crate) fn matrix(&self) -> &Entry {
        &self.matrix
    }

    /// The rows and columns of the matrix.
    pub(super) fn sides(&self) -> (usize, usize) {
        let (first, rest) = self.matrix.shape.split_first().map_or((1, &[][..]), |(first, rest)| (*first, rest));
        (first, volume(rest))
    }
}

/// The weights of a checkpoint that are stored in parts, and the part that each tensor plays.
#[derive(Clone, Debug)]
pub struct StoredWeights {
    weights: Vec<StoredWeight>,
    roles: Vec<Inner>,
}

#[derive(Clone, Debug)]
enum Inner {
    Plain,
    Weight(usize),
    Part,
    Broken(String),
}

/// The part that a tensor of a checkpoint plays.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Role<'a> {
    /// A tensor for itself.
    Plain,
    /// The main part of a weight, in whose place the plain weight belongs.
    Weight(&'a StoredWeight),
    /// Another part of a weight: u, v or g.
    Part,
    /// A tensor that is named like the main part of a weight, with the reason why it is none.
    Broken(&'a str),
}

impl StoredWeights {
    /// The weights, in the order of their main parts.
    pub fn weights(&self) -> &[StoredWeight] {
        &self.weights
    }

    /// The role of each tensor, in the order of [`Checkpoint::entries`].
    pub fn roles(&self) -> impl Iterator<Item = Role<'_>> {
        self.roles.iter().map(|role| match role {
            Inner::Plain => Role::Plain,
            Inner::Weight(weight) => Role::Weight(&self.weights[*weight]),
            Inner::Part => Role::Part,
            Inner::Broken(problem) => Role::Broken(problem),
        })
    }
}

/// Finds the weights of a checkpoint that are stored in parts, by names and shapes alone.
///
/// A group of tensors that is not whole, or whose shapes do not fit, is left as plain tensors: [`Role::Broken`].
pub fn stored_weights(checkpoint: &Checkpoint) -> StoredWeights {
    let entries = checkpoint.entries();
    let listed: Vec<_> = entries.iter().map(Listed::from).collect();
    let found = groups(&listed);
    let mut roles = vec![Inner::Plain; entries.len()];
    for (place, problem) in found.broken {
        roles[place] = Inner::Broken(problem);
    }
    for (number, group) in found.whole.iter().enumerate() {
        roles[group.weight] = Inner::Weight(number);
        group.others.iter().for_each(|&other| roles[other] = Inner::Part);
    }
    let weights = found.whole.into_iter().map(|group| StoredWeight::new(entries, group)).collect();
    StoredWeights { weights, roles }
}
