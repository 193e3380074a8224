//! Linear systems: A x = b and least squares, for any [`LinearOperator`](crate::operator::LinearOperator).
//!
//! | method | operators | products of a step | vectors kept |
//! |---|---|---|---|
//! | [`ConjugateGradients`] | symmetric, definite | A | 5 |
//! | [`Minres`] | symmetric | A | 8 |
//! | [`Gmres`] | square | A | one for each step |
//! | [`BiCgStab`] | square | A, A | 5 |
//! | [`Neumann`] | I + G, norm of G below 1 | A | 3 |
//! | [`Lsmr`] | any, least squares | A, Aᵀ | 7 |
//! | [`Cgnr`] | any, least squares | A, Aᵀ | 5 |
//! | [`Direct`] | square, as many as fit | none: one with each unit vector at first | the factors |
//!
//! [`Auto`] chooses by the [`Claims`](crate::operator::Claims) of the operator. Every method is a [`LinearSolver`].
//!
//! A run is a sequence of rounds. A round is the method from x = 0 for the true residual as right-hand side, until its
//! recurrence says that the residual is small. The outer loop adds what was found, measures the residual with the
//! operator, and decides: converged, or another round, or the end because a round no longer helps.
//!
//! [`Lu`] factors a batch of matrices on the device. On a tape [`Value::solve`](crate::tape::Value::solve) is a
//! solution with derivatives of any order, and [`matrix_free`] the same for a matrix that is never formed.
//!
//! [`fixed_point`] has solvers of nonlinear equations x = f(x). [`Implicit`] makes such an x a value of a tape, with
//! derivatives by the implicit function theorem.

mod auto;
mod dense;
mod differentiable;
pub mod fixed_point;
mod implicit;
mod jacobi;
mod method;
mod outer;
mod solution;
mod step;
mod system;

pub use auto::Auto;
pub use dense::factors::{Determinant, LuStatus};
pub use dense::lu::Lu;
pub use differentiable::{Factored, ImplicitSolver, Solved, matrix_free};
pub use implicit::Implicit;
pub use jacobi::Jacobi;
pub use method::bicgstab::BiCgStab;
pub use method::cgnr::Cgnr;
pub use method::conjugate_gradients::ConjugateGradients;
pub use method::direct::Direct;
pub use method::gmres::Gmres;
pub use method::lsmr::Lsmr;
pub use method::minres::Minres;
pub use method::neumann::Neumann;
pub use solution::{Solution, Solutions, SolveStatus};
pub use system::{LinearSolver, System};
