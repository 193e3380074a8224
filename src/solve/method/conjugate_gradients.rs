//! Conjugate gradients.

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::device::Recorder;
use crate::iterate::Control;
use crate::solve::method::options::options;
use crate::solve::outer::round::{Found, Method, Problem, Round, Settings};
use crate::solve::step::formula::Formula;
use crate::solve::step::recurrence::{Recurrence, run};
use crate::solve::step::scalar::Scalar;
use crate::solve::step::space::Space;
use crate::tensor::Tensor;

options! {
    /// Conjugate gradients, for symmetric definite A, and for consistent systems with a semidefinite A.
    ///
    /// A preconditioner must be symmetric and definite. A direction with pᵀ A p <= 0 ends a vector as
    /// [`crate::solve::SolveStatus::Breakdown`].
    ///
    /// *Source*  Hestenes and Stiefel, *Methods of conjugate gradients for solving linear systems*, 1952.
    ConjugateGradients, "conjugate gradients"
}

/// |r|² / |b|² at which an operator is not taken for definite any longer.
const GROWTH: f32 = 1e8;

impl Method for ConjugateGradients {
    fn settings(&self) -> Settings {
        self.common(Problem::Symmetric, (0, 1))
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(run::<Steps>(Self::NAME, round, control))
    }
}

struct Steps {
    x: Tensor,
    r: Tensor,
    p: Tensor,
    q: Tensor,
    /// Memory for M r.
    z: Tensor,
    rho: Scalar,
    next_rho: Scalar,
    curvature: Scalar,
    alpha: Scalar,
    beta: Scalar,
    length: Formula,
    direction: Formula,
}

impl Recurrence for Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let number = || space.scalar(0.0);
        let (rho, next_rho, curvature, alpha, beta) = (number()?, number()?, number()?, number()?, number()?);
        let Space { active, count, square, goal, .. } = space;
        let length =
            Formula::new(space, [&rho, &curvature, count], [active, &alpha, count], |[rho, curvature, count]| {
                [curvature.is_positive(), rho / curvature, count + count.constant(1.0)]
            })?;
        // |b|² is at most 4.
        let most = space.scalar(4.0 * GROWTH)?;
        let direction = Formula::new(
            space,
            [&rho, &next_rho, square, goal, &most],
            [active, &beta, &rho],
            |[rho, next_rho, square, goal, most]| {
                let goes_on = next_rho.is_positive() * (most - square).is_positive();
                [(square - goal).is_positive() * goes_on, next_rho / rho, next_rho]
            },
        )?;
        let (x, r, p) = (space.domain()?, space.domain()?, space.domain()?);
        let (q, z) = (space.domain()?, space.domain()?);
        Ok(Self { x, r, p, q, z, rho, next_rho, curvature, alpha, beta, length, direction })
    }

    /// r = b, p = M r
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        space.copy(recorder, &space.round.start.right, &self.r)?;
        let z = space.preconditioned(recorder, &self.r, &self.z)?;
        space.copy(recorder, z, &self.p)?;
        space.dot(recorder, &self.r, &self.r, &space.square)?;
        space.dot(recorder, &self.r, z, &self.rho)
    }

    /// alpha = rᵀ z / pᵀ A p, x = x + alpha p, r = r - alpha A p, z = M r, p = z + beta p
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let Self { x, r, p, q, .. } = self;
        space.apply(recorder, p, q)?;
        space.dot(recorder, p, q, &self.curvature)?;
        self.length.record(recorder)?;
        space.add(recorder, (1.0, &self.alpha), p, x)?;
        space.add(recorder, (-1.0, &self.alpha), q, r)?;
        let z = space.preconditioned(recorder, r, &self.z)?;
        space.dot(recorder, r, r, &space.square)?;
        space.dot(recorder, r, z, &self.next_rho)?;
        self.direction.record(recorder)?;
        space.shift(recorder, z, &self.beta, p)
    }

    fn solution(&self) -> &Tensor {
        &self.x
    }
}
