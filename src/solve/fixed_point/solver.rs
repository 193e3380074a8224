//! The trait of all solvers of fixed points.

use std::fmt::Debug;

use futures::future::LocalBoxFuture;

use super::map::FixedPoint;
use super::solution::Solution;
use crate::Result;
use crate::iterate::Control;
use crate::tensor::Tensor;

/// A solver of x = f(x) for any map, each item of the batch by itself.
pub trait FixedPointSolver: Debug + Send + Sync {
    /// The name of the method.
    fn name(&self) -> &'static str;

    /// Solves x = f(x) from `start`, without blocking the thread, with a listener.
    ///
    /// *Shapes*  `start`: as the map
    ///
    /// # Errors
    /// As [`Anderson::solve`](super::Anderson::solve). Not converged is a status.
    fn solve_map<'a>(
        &'a self,
        map: &'a FixedPoint,
        start: &'a Tensor,
        control: Control<'a>,
    ) -> LocalBoxFuture<'a, Result<Solution>>;
}
