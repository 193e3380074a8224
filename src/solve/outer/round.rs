//! A round: one run of a method from x = 0, within the outer loop that measures true residuals.

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::iterate::Control;
use crate::operator::LinearOperator;
use crate::tensor::Tensor;

/// A batch of systems A x = r of one round, scaled so that each r has a norm in [1, 2).
pub(in crate::solve) struct Round<'a> {
    pub(in crate::solve) operator: &'a dyn LinearOperator,
    /// M, for methods that apply it to residuals themselves.
    pub(in crate::solve) preconditioner: Option<&'a dyn LinearOperator>,
    /// The vectors of each batch item.
    pub(in crate::solve) width: usize,
    pub(in crate::solve) start: &'a Start,
    /// The |Aᵀ r| / (‖A‖ |r|) at which a vector is done, for methods that see it.
    pub(in crate::solve) tolerance: f64,
}

/// The right-hand sides of a round, and what is asked of each.
pub(in crate::solve) struct Start {
    /// The right-hand sides r.
    pub(in crate::solve) right: Tensor,
    /// The norm of each r.
    pub(in crate::solve) norms: Vec<f64>,
    /// The vectors that take part.
    pub(in crate::solve) open: Vec<bool>,
    /// The residual norm at which each vector is done.
    pub(in crate::solve) goals: Vec<f64>,
    /// The limit of steps of each vector.
    pub(in crate::solve) limits: Vec<usize>,
}

impl Round<'_> {
    /// The number of vectors of all batch items.
    pub(in crate::solve) fn vectors(&self) -> usize {
        self.start.open.len()
    }

    /// The largest limit of steps of a vector that takes part.
    pub(in crate::solve) fn limit(&self) -> usize {
        let open = self.start.limits.iter().zip(&self.start.open).filter(|(_, open)| **open);
        open.map(|(limit, _)| *limit).max().unwrap_or(0)
    }

    /// Zeros for each vector, of this shape.
    pub(in crate::solve) fn zeros(&self, shape: &[usize]) -> Result<Tensor> {
        Tensor::zeros(self.operator.device(), &[&[self.operator.batch(), self.width], shape].concat())
    }
}

/// The end of a round for one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::solve) enum End {
    /// The limit of steps.
    #[default]
    Limit,
    /// The residual is within its goal, as the recurrence has it.
    Reached,
    /// Aᵀ r is 0 within the tolerance, or the space is invariant: no x of the space has a smaller residual.
    Normal,
    /// A division by 0.
    Broken,
    /// A number is NaN or infinite.
    NonFinite,
}

/// The end of a round for one vector, with what led to it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::solve) struct Ending {
    pub(in crate::solve) end: End,
    pub(in crate::solve) steps: usize,
    /// An estimate of ‖A‖ from below; 0 where the method makes none.
    pub(in crate::solve) norm: f64,
}

/// The vectors that a round found, and their endings.
pub(in crate::solve) struct Found {
    pub(in crate::solve) x: Tensor,
    pub(in crate::solve) endings: Vec<Ending>,
}

/// The systems that a method solves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::solve) enum Problem {
    /// Square A; a preconditioner M makes it A M.
    Square,
    /// Symmetric A; the method applies a symmetric definite M to residuals.
    Symmetric,
    /// Any A: x is a least-squares solution; a preconditioner M makes it A M.
    LeastSquares,
}

/// The options that all methods have, and what the outer loop must know of a method.
#[derive(Clone, Copy, Debug)]
pub(in crate::solve) struct Settings {
    pub(in crate::solve) name: &'static str,
    pub(in crate::solve) problem: Problem,
    pub(in crate::solve) relative: f64,
    pub(in crate::solve) iterations: usize,
    pub(in crate::solve) refine: bool,
    /// The steps of a round, where a method starts again after some.
    pub(in crate::solve) restart: Option<usize>,
    /// Products before the first step, and products of each step.
    pub(in crate::solve) products: (usize, usize),
}

/// A method, which runs rounds.
pub(in crate::solve) trait Method {
    fn settings(&self) -> Settings;

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>>;
}
