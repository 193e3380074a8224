//! The result of a linear solve.

use std::ops::Index;
use std::{fmt, slice};

use crate::bound::Bounds;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The end of a linear solve for one right-hand side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SolveStatus {
    /// The true residual is within the tolerance, or x solves a least-squares problem within it.
    Converged,
    /// The limit of steps came first.
    MaxIterations,
    /// A division of the method by 0, or growth: the method does not fit the operator.
    Breakdown,
    /// Rounding stands in the way: a start from the true residual no longer halves that residual.
    Stagnated,
    /// The operator is singular and b outside its range, as far as the method sees: x has the least residual it found.
    Singular,
    /// A number of b, of the operator or of a product is NaN or infinite.
    NonFinite,
}

impl SolveStatus {
    /// The status as one word, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max_iterations",
            Self::Breakdown => "breakdown",
            Self::Stagnated => "stagnated",
            Self::Singular => "singular",
            Self::NonFinite => "non_finite",
        }
    }
}

/// As [`SolveStatus::as_str`].
impl fmt::Display for SolveStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The solution of one right-hand side, in numbers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Solution {
    /// The end of the run.
    pub status: SolveStatus,
    /// |b - A x|, of the x found, measured with the operator at the end; NaN where it is not finite.
    pub residual: f64,
    /// |b - A x| / |b|; 0 where b is 0.
    pub relative: f64,
    /// Steps of the method, over all its starts.
    pub iterations: usize,
    /// Products with A or Aᵀ that the vector took part in, those for true residuals included. Products that were under
    /// way when the vector was done are not counted.
    pub products: usize,
    /// Bounds of |x - x*| with x* the solution, rounding included, where [`crate::operator::Claims`] bound A from below
    /// and A has products on the host; else [`Bounds::NONE`].
    pub error: Bounds,
}

/// The solutions of all right-hand sides.
///
/// They are numbered as in memory: vector v of batch item i has the number i · vectors + v.
#[derive(Clone, Debug)]
#[must_use]
pub struct Solutions {
    /// The solutions, batch × vectors × domain.
    pub x: Tensor,
    /// The solutions in `f64`, where the method was asked to refine; residuals and bounds are of these.
    pub refined: Option<Vec<Vec<f64>>>,
    /// The name of the method that ran.
    pub solver: &'static str,
    /// Estimates from below of the conditions |A|₁ |A⁻¹|₁ of the batch items, from a method that factors A; infinite
    /// for a singular item.
    pub conditions: Option<Vec<f64>>,
    /// Why [`crate::solve::Auto`] chose the method; empty where the caller chose.
    pub reason: &'static str,
    pub(super) items: Vec<Solution>,
}

impl Solutions {
    /// The solution of the only right-hand side.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of right-hand sides than 1.
    pub fn single(&self) -> Result<&Solution> {
        match &self.items[..] {
            [item] => Ok(item),
            items => Err(Error::ShapeMismatch {
                operation: "single solution",
                expected: "one right-hand side".to_owned(),
                found: format!("{}: take the solutions by their indices", items.len()),
            }),
        }
    }

    /// The solutions, in order.
    pub fn iter(&self) -> slice::Iter<'_, Solution> {
        self.items.iter()
    }

    /// The number of right-hand sides.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no right-hand sides.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// The solution of one right-hand side.
impl Index<usize> for Solutions {
    type Output = Solution;

    /// # Panics
    /// As a slice, for an index that is not below [`Solutions::len`].
    fn index(&self, index: usize) -> &Solution {
        &self.items[index]
    }
}

impl<'a> IntoIterator for &'a Solutions {
    type Item = &'a Solution;
    type IntoIter = slice::Iter<'a, Solution>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
