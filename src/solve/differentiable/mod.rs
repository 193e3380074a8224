//! Linear systems as values of a tape, with derivatives of any order.
//!
//! There are three operations for explicit matrices:
//!
//! - [`factors`] factors a matrix. Its derivative counts as zero, because the operations below state theirs.
//! - [`solution`] is x of A x = b, with the derivative A⁻¹ (db - dA x). The factors serve every derivative.
//! - [`determinant`] is ln |det A|, with the derivative tr(A⁻¹ dA).
//!
//! [`matrix_free`] is the solution for a matrix that is never formed.

mod dense;
mod determinant;
mod factors;
mod matrix_free;
mod solution;
mod solver;

use std::sync::Arc;

pub(super) use dense::{solved_by_columns, unit};
use determinant::LogAbsDeterminant;
use factors::FactorsOf;
pub use matrix_free::matrix_free;
use solution::Solution;
pub use solver::{ImplicitSolver, Solved};

use crate::tape::Value;
use crate::tensor::volume;
use crate::{Error, Result};

/// Matrices on a tape with their LU factors, which solutions and determinants share.
#[derive(Clone, Debug)]
pub struct Factored {
    /// Items × size × size.
    matrices: Value,
    factors: Value,
    batch: Vec<usize>,
    size: usize,
}

impl Value {
    /// The LU factors of each matrix, for several systems with the same matrices.
    ///
    /// A run ends with [`Error::NotConverged`] where a matrix is singular to the precision of `f32`
    /// ([`LuStatus`](crate::solve::LuStatus)). An item with an entry that is not finite has NaN.
    ///
    /// *Shapes*  this: batch × size × size, where batch is any axes
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for matrices that are not square.
    pub fn factored(&self) -> Result<Factored> {
        let (batch, size) = match self.shape() {
            [batch @ .., rows, cols] if rows == cols => (batch.to_vec(), *rows),
            _ => {
                return Err(Error::ShapeMismatch {
                    operation: "linear solve",
                    expected: "square matrices: batch × size × size".to_string(),
                    found: format!("{:?}", self.shape()),
                });
            }
        };
        let matrices = self.reshape(&[volume(&batch), size, size])?;
        let factors = matrices.through(FactorsOf)?;
        Ok(Factored { matrices, factors, batch, size })
    }

    /// The solutions x of A x = b for each matrix A, with derivatives of any order.
    ///
    /// dx = A⁻¹ (db - dA x); for a cotangent g of x, w = A⁻ᵀ g is the cotangent of b, and -w xᵀ that of A. The factors
    /// of A are made once, for all of these.
    ///
    /// *Shapes*  this: batch × size × size · `b`: batch × size for one vector, or batch × vectors × size · result: as
    /// `b`, where batch is any axes
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (a, b) = (tape.input(&[2, 2])?, tape.input(&[2])?);
    /// let x = a.solve(&b)?;
    /// let slopes = tape.grad(&x.sum(&[0])?, &[&a, &b])?;
    /// let found = tape.compile(&[&a, &b], &slopes)?.evaluate(&[vec![2.0, 0.0, 0.0, 4.0], vec![2.0, 4.0]])?;
    /// assert_eq!(found[1], [0.5, 0.25]); // w
    /// assert_eq!(found[0], [-0.5, -0.5, -0.25, -0.25]); // -w xᵀ, with x = (1, 1)
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Value::factored`]; [`Error::ShapeMismatch`] for right-hand sides of another batch or size.
    pub fn solve(&self, b: &Self) -> Result<Self> {
        self.factored()?.solve(b)
    }

    /// ln |det A| of each matrix, with the derivative A⁻ᵀ: the change of volume of a flow.
    ///
    /// *Shapes*  this: batch × size × size · result: batch, where batch is any axes
    ///
    /// # Errors
    /// As [`Value::factored`].
    pub fn log_abs_determinant(&self) -> Result<Self> {
        self.factored()?.log_abs_determinant()
    }
}

impl Factored {
    /// As [`Value::solve`].
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for right-hand sides of another batch or size.
    pub fn solve(&self, b: &Value) -> Result<Value> {
        self.solution(b, false)
    }

    /// The solutions of Aᵀ x = b, as [`Value::solve`].
    ///
    /// # Errors
    /// As [`Factored::solve`].
    pub fn solve_transposed(&self, b: &Value) -> Result<Value> {
        self.solution(b, true)
    }

    fn solution(&self, b: &Value, transposed: bool) -> Result<Value> {
        let rest = b.shape().strip_prefix(&self.batch[..]);
        let vectors = match rest {
            Some([length]) if *length == self.size => 1,
            Some([vectors, length]) if *length == self.size => *vectors,
            _ => {
                let (batch, size) = (&self.batch, self.size);
                return Err(Error::ShapeMismatch {
                    operation: "linear solve",
                    expected: format!("right-hand sides {batch:?} × {size}, or {batch:?} × vectors × {size}"),
                    found: format!("{:?}", b.shape()),
                });
            }
        };
        let given = b.reshape(&[volume(&self.batch), vectors, self.size])?;
        let inputs = [&self.matrices, &self.factors, &given];
        self.matrices.tape().compute(Arc::new(Solution { transposed }), &inputs)?.reshape(b.shape())
    }

    /// As [`Value::log_abs_determinant`].
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more elements than can be counted.
    pub fn log_abs_determinant(&self) -> Result<Value> {
        let inputs = [&self.matrices, &self.factors];
        self.matrices.tape().compute(Arc::new(LogAbsDeterminant), &inputs)?.reshape(&self.batch)
    }
}
