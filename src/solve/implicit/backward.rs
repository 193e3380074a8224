//! The solver of derivatives' systems, with the items of its last solve.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::iterate::Control;
use crate::operator::LinearOperator;
use crate::solve::{ImplicitSolver, LinearSolver, Solution, Solved};
use crate::tensor::Tensor;

/// A linear solver, and the items of its last solve. Clones share both.
#[derive(Clone)]
pub(super) struct Backward {
    solver: Arc<dyn LinearSolver + Send + Sync>,
    items: Arc<Mutex<Vec<Solution>>>,
}

impl Backward {
    pub(super) fn new(solver: impl LinearSolver + Send + Sync + 'static) -> Self {
        Self { solver: Arc::new(solver), items: Arc::default() }
    }

    pub(super) fn last(&self) -> Vec<Solution> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ImplicitSolver for Backward {
    fn solve<'a>(&'a self, operator: &'a dyn LinearOperator, right: &'a Tensor) -> LocalBoxFuture<'a, Result<Solved>> {
        Box::pin(async move {
            let solutions = self.solver.solve_async(operator, right, Control::default()).await?;
            *self.items.lock().unwrap_or_else(PoisonError::into_inner) = solutions.iter().cloned().collect();
            let mut solved = Solved::from(solutions);
            for (_, reason) in &mut solved.failures {
                *reason = format!("the derivative of a fixed point is {reason}");
            }
            Ok(solved)
        })
    }
}

impl fmt::Debug for Backward {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Backward").field(&self.solver.name()).finish()
    }
}
