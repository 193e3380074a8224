//! The solver of a system whose matrix is never formed, as a matrix-free solution needs it.

use std::fmt::Debug;

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::operator::LinearOperator;
use crate::tensor::Tensor;

/// A solver of A x = b for any linear operator A.
pub trait ImplicitSolver: Debug + Send + Sync {
    /// Solves a system for each batch item, without blocking the thread.
    ///
    /// *Shapes*  `right`: batch × vectors × codomain
    ///
    /// # Errors
    /// Any error of the device; an iteration that fails is a failure of its item in [`Solved`].
    fn solve<'a>(&'a self, operator: &'a dyn LinearOperator, right: &'a Tensor) -> LocalBoxFuture<'a, Result<Solved>>;
}

/// Solutions, and the items that have none.
#[derive(Clone, Debug)]
pub struct Solved {
    /// batch × vectors × domain
    pub solutions: Tensor,
    /// The items that were not solved, with the reasons in words: the status and the iterations.
    pub failures: Vec<(usize, String)>,
}
