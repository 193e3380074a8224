//! Linear systems: factors of dense matrices, and solutions as values of a tape.
//!
//! [`Lu`] factors a batch of matrices on the device. On a tape [`Value::solve`](crate::tape::Value::solve) is a
//! solution with derivatives of any order, and [`matrix_free`] the same for a matrix that is never formed.

mod condition;
mod differentiable;
mod factors;
mod lu;
mod refinement;

pub use differentiable::{Factored, ImplicitSolver, Solved, matrix_free};
pub use factors::{Determinant, LuStatus};
pub use lu::Lu;
