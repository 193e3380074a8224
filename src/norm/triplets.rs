//! What the largest singular triplets come back as.

use crate::iterate::Status;
use crate::tensor::Position;

/// One singular triplet.
#[derive(Clone, Debug, PartialEq)]
pub struct Triplet {
    /// The singular value.
    pub sigma: f64,
    /// The left singular vector.
    pub left: Vec<f32>,
    /// The right singular vector.
    pub right: Vec<f32>,
    /// √(|Av - sigma u|² + |Aᵀu - sigma v|²), from products of the operator with these vectors.
    pub residual: f64,
}

/// The largest singular triplets of one item, largest first; copies of a repeated value each count, and so do zeros.
///
/// The left vectors are orthonormal, and so are the right ones, those of values near zero included.
#[derive(Clone, Debug, PartialEq)]
pub struct Triplets {
    /// The triplets: as many as asked for, or as the shorter side has elements; fewer where the iterations ran out, none
    /// where the operator is not finite.
    pub values: Vec<Triplet>,
    /// How the run ended: [`Status::Converged`] once every residual is within the tolerance, relative to the largest value,
    /// and [`Status::Stagnated`] where one is not, though the iteration believed so.
    pub status: Status,
    /// Steps of the iteration; two products each.
    pub iterations: usize,
    /// The first entry that is NaN or infinite, where the operator knows its entries.
    pub non_finite: Option<Position>,
}

impl Triplets {
    pub(super) fn without_values(status: Status, iterations: usize) -> Self {
        Self { values: Vec::new(), status, iterations, non_finite: None }
    }
}
