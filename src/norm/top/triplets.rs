//! The largest singular triplets of a batch element.

use std::ops::Index;
use std::slice;

use crate::iterate::Status;
use crate::tensor::Position;

/// One singular triplet.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Triplet {
    /// The singular value.
    pub sigma: f64,
    /// The left singular vector.
    pub left: Vec<f32>,
    /// The right singular vector.
    pub right: Vec<f32>,
    /// The residual √(|Av - sigma u|² + |Aᵀu - sigma v|²), from products of the operator with these vectors.
    pub residual: f64,
}

/// The largest singular triplets of one batch element, largest first. Each copy of a repeated value counts, and so do
/// zeros.
///
/// The left vectors are orthonormal, and so are the right vectors, vectors of values near zero included.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Triplets {
    /// The triplets: as many as asked for, or as the shorter side has elements. They are fewer where the iterations ran
    /// out, and none where the operator is not finite.
    pub values: Vec<Triplet>,
    /// The end of the run: [`Status::Converged`] once every residual is within the tolerance, relative to the largest
    /// value; [`Status::Stagnated`] where a residual is not, though the iteration expected it to be.
    pub status: Status,
    /// Steps of the iteration; two products each.
    pub iterations: usize,
    /// The first entry that is NaN or infinite, where the operator knows its entries.
    pub non_finite: Option<Position>,
}

impl Triplets {
    /// The triplets, largest first.
    pub fn iter(&self) -> slice::Iter<'_, Triplet> {
        self.values.iter()
    }

    /// The number of triplets.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no triplets.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn without_values(status: Status, iterations: usize) -> Self {
        Self { values: Vec::new(), status, iterations, non_finite: None }
    }
}

/// One triplet, the largest at 0.
impl Index<usize> for Triplets {
    type Output = Triplet;

    /// # Panics
    /// As a slice, for an index that is not below [`Triplets::len`].
    fn index(&self, index: usize) -> &Triplet {
        &self.values[index]
    }
}

impl<'a> IntoIterator for &'a Triplets {
    type Item = &'a Triplet;
    type IntoIter = slice::Iter<'a, Triplet>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
