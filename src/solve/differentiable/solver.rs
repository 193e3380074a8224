//! The solver of a system whose matrix is never formed, as a matrix-free solution needs it.

use std::fmt::Debug;

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::iterate::Control;
use crate::operator::LinearOperator;
use crate::solve::{LinearSolver, Solutions, SolveStatus};
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

/// The solutions of a linear solver; every right-hand side that did not converge is a failure of its item.
impl From<Solutions> for Solved {
    fn from(solutions: Solutions) -> Self {
        let vectors = solutions.x.shape().get(1).copied().unwrap_or(1).max(1);
        let failed = solutions.iter().enumerate().filter(|(_, found)| found.status != SolveStatus::Converged);
        let failures = failed.map(|(number, found)| {
            let reason = format!(
                "{} after {} iterations of {}, relative residual {:.1e}: allow more iterations or a larger tolerance, \
                 or take another solver",
                found.status, found.iterations, solutions.solver, found.relative
            );
            (number / vectors, reason)
        });
        Self { failures: failures.collect(), solutions: solutions.x }
    }
}

/// A linear solver, as it is.
///
/// ```
/// use opnorm::solve::{Gmres, matrix_free};
/// use opnorm::{Device, tape::Tape};
/// let tape = Tape::new(&Device::new()?);
/// let (theta, b) = (tape.input(&[1, 2])?, tape.input(&[3, 2])?);
/// let x = matrix_free(|theta, x| x.add(&x.multiply(&theta[0])?), &[&theta], &b, Gmres::default())?; // b / (1 + θ)
/// assert_eq!(x.shape(), [3, 2]);
/// # Ok::<(), opnorm::Error>(())
/// ```
impl<S: LinearSolver + Debug + Send + Sync> ImplicitSolver for S {
    fn solve<'a>(&'a self, operator: &'a dyn LinearOperator, right: &'a Tensor) -> LocalBoxFuture<'a, Result<Solved>> {
        Box::pin(async move { Ok(self.solve_async(operator, right, Control::default()).await?.into()) })
    }
}
