//! Conjugate gradients on the normal equations.

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
    /// Conjugate gradients on AᵀA x = Aᵀ b, for any A: the x of least |b - A x|, and of least norm among these.
    ///
    /// The condition of A counts squared, in steps and in rounding. [`crate::solve::Lsmr`] takes about as many steps,
    /// and rounds less.
    ///
    /// *Source*  Björck, *Numerical Methods for Least Squares Problems*, 1996, algorithm 7.4.1 (CGLS).
    Cgnr, "CGNR"
}

impl Method for Cgnr {
    fn settings(&self) -> Settings {
        self.common(Problem::LeastSquares, (1, 2))
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(run::<Steps>(Self::NAME, round, control))
    }
}

struct Steps {
    x: Tensor,
    p: Tensor,
    /// Aᵀ r, and `by` · Aᵀ r.
    product: Tensor,
    s: Tensor,
    r: Tensor,
    q: Tensor,
    /// 1 / |Aᵀ b|, so that no square of a short s leaves the range of `f32`.
    by: Scalar,
    /// |s|², before and after.
    gamma: Scalar,
    next_gamma: Scalar,
    /// |p|² and |A p|².
    squares: [Scalar; 2],
    alpha: Scalar,
    beta: Scalar,
    start: Formula,
    length: Formula,
    direction: Formula,
}

impl Recurrence for Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let number = || space.scalar(0.0);
        let (by, gamma, next_gamma, squares) = (number()?, number()?, number()?, [number()?, number()?]);
        let (alpha, beta, tolerance) = (number()?, number()?, space.scalar(space.round.tolerance as f32)?);
        let Space { active, count, square, goal, is_normal, norm, .. } = space;
        let [pp, qq] = &squares;
        let start = Formula::new(space, [&gamma, is_normal], [active, is_normal, &by], |[gamma, _]| {
            let some = gamma.is_positive();
            [some, some.not(), gamma.constant(1.0).over(gamma.sqrt())]
        })?;
        // ‖A‖ >= |A p| / |p|
        let length = Formula::new(
            space,
            [&gamma, pp, qq, &by, norm, count],
            [active, &alpha, norm, count],
            |[gamma, pp, qq, by, norm, count]| {
                let norm = norm.max(qq.over(pp).sqrt());
                [qq.is_positive(), gamma / (by * qq), norm, count + count.constant(1.0)]
            },
        )?;
        let direction = Formula::new(
            space,
            [&gamma, &next_gamma, &by, square, goal, norm, is_normal, &tolerance],
            [active, is_normal, &beta, &gamma],
            |[gamma, next, by, square, goal, norm, _, tolerance]| {
                let least = tolerance * (by * norm);
                let goes_on = (next - least * least * square).is_positive();
                let is_normal = goes_on.not().pick(next + next.constant(1.0));
                [(square - goal).is_positive() * goes_on, is_normal, next / gamma, next]
            },
        )?;
        let (x, p, s, product) = (space.domain()?, space.domain()?, space.domain()?, space.domain()?);
        let (r, q) = (space.codomain()?, space.codomain()?);
        Ok(Self { x, p, product, s, r, q, by, gamma, next_gamma, squares, alpha, beta, start, length, direction })
    }

    /// r = b, p = s = `by` · Aᵀ r
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        space.copy(recorder, &space.round.start.right, &self.r)?;
        space.apply_adjoint(recorder, &self.r, &self.product)?;
        space.dot(recorder, &self.r, &self.r, &space.square)?;
        space.dot(recorder, &self.product, &self.product, &self.gamma)?;
        self.start.record(recorder)?;
        space.scale(recorder, &self.by, &self.product, &self.p)?;
        space.dot(recorder, &self.p, &self.p, &self.gamma)
    }

    /// s = by · Aᵀ r, alpha = |s|² / (by |A p|²), x = x + alpha p, r = r - alpha A p, p = s + beta p
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let Self { x, p, product, s, r, q, squares: [pp, qq], .. } = self;
        space.apply(recorder, p, q)?;
        space.dot(recorder, p, p, pp)?;
        space.dot(recorder, q, q, qq)?;
        self.length.record(recorder)?;
        space.add(recorder, (1.0, &self.alpha), p, x)?;
        space.add(recorder, (-1.0, &self.alpha), q, r)?;
        space.apply_adjoint(recorder, r, product)?;
        space.scale(recorder, &self.by, product, s)?;
        space.dot(recorder, r, r, &space.square)?;
        space.dot(recorder, s, s, &self.next_gamma)?;
        self.direction.record(recorder)?;
        space.shift(recorder, s, &self.beta, p)
    }

    fn solution(&self) -> &Tensor {
        &self.x
    }
}
