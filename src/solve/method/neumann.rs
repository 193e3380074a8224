//! Neumann's series.

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
    /// Neumann's series x = Σ (I - A)^k b, for A = I + G with a norm of G below 1.
    ///
    /// The series is Richardson's iteration x = x + r. Each step multiplies |r| by at most the norm of G. A residual
    /// that grows a hundredfold ends a vector as [`crate::solve::SolveStatus::Breakdown`].
    Neumann, "Neumann"
}

/// |r|² / |b|² at which the series is given up.
const GROWTH: f32 = 1e4;

impl Method for Neumann {
    fn settings(&self) -> Settings {
        self.common(Problem::Square, (0, 1))
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(run::<Steps>(Self::NAME, round, control))
    }
}

struct Steps {
    x: Tensor,
    r: Tensor,
    q: Tensor,
    one: Scalar,
    judge: Formula,
}

impl Recurrence for Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let Space { active, count, square, goal, .. } = space;
        // |b|² is at most 4.
        let most = space.scalar(4.0 * GROWTH)?;
        let judge =
            Formula::new(space, [square, goal, &most, count], [active, count], |[square, goal, most, count]| {
                [(square - goal).is_positive() * (most - square).is_positive(), count + count.constant(1.0)]
            })?;
        let (x, r, q) = (space.domain()?, space.domain()?, space.domain()?);
        Ok(Self { x, r, q, one: space.scalar(1.0)?, judge })
    }

    /// r = b
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        space.copy(recorder, &space.round.start.right, &self.r)
    }

    /// x = x + r, r = r - A r
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        space.apply(recorder, &self.r, &self.q)?;
        space.add(recorder, (1.0, &self.one), &self.r, &self.x)?;
        space.add(recorder, (-1.0, &self.one), &self.q, &self.r)?;
        space.dot(recorder, &self.r, &self.r, &space.square)?;
        self.judge.record(recorder)
    }

    fn solution(&self) -> &Tensor {
        &self.x
    }
}
