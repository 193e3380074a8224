//! The result of a run.

use super::status::Status;
use crate::bound::Bounds;
use crate::tensor::Tensor;

/// Fixed points of a batch, and how each run ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Solution {
    /// The iterate with the smallest residual of each item, of the shape of the start.
    pub x: Tensor,
    /// An entry for each item of the batch.
    pub items: Vec<Item>,
}

/// The run of one item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Item {
    /// The end of the run.
    pub status: Status,
    /// |f(x) - x| at the result in the 2-norm, with f as the device computes it and exact arithmetic after that.
    pub residual: f64,
    /// Evaluations of f until the item was done, without the last evaluation, which is that of `residual`.
    pub evaluations: usize,
    /// Bounds of |x - x*|: residual / (1 + L) and residual / (1 - L), where L is the upper bound of
    /// [`FixedPoint::with_lipschitz`](super::FixedPoint::with_lipschitz); else no bounds.
    ///
    /// The guarantee is that of L. The residual of the bounds is computed in `f64` on the host, with proven bounds of
    /// every rounding. There are no bounds where f has an operation of unknown accuracy: an operation of a caller, or
    /// any that `docs/fixed-points.md` does not list. Values that depend on bound inputs alone count as the device
    /// computed them.
    pub error: Bounds,
    /// The residual of each evaluation.
    pub history: Vec<f64>,
}

impl Solution {
    /// Whether every item converged.
    pub fn is_converged(&self) -> bool {
        self.items.iter().all(|item| item.status == Status::Converged)
    }

    /// The largest number of evaluations of an item.
    pub fn evaluations(&self) -> usize {
        self.items.iter().map(|item| item.evaluations).max().unwrap_or(0)
    }
}
