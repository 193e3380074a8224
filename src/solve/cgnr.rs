//! Conjugate gradients on the normal equations.

use futures::future::LocalBoxFuture;

use super::formula::{Formula, Scalar};
use super::options::options;
use super::recurrence::{Recurrence, iterate};
use super::round::{Found, Method, Problem, Round, Settings};
use super::space::Space;
use crate::Result;
use crate::device::Recorder;
use crate::iterate::Control;
use crate::tensor::Tensor;

options! {
    /// Conjugate gradients on AᵀA x = Aᵀ b, for any A: the x of least |b - A x|, and of least norm among these.
    ///
    /// The condition of A counts squared, in steps and in rounding. [`super::Lsmr`] takes about as many steps, and
    /// rounds less.
    ///
    /// *Source*  Björck, *Numerical Methods for Least Squares Problems*, 1996, algorithm 7.4.1 (CGLS).
    Cgnr, "CGNR"
}

impl Method for Cgnr {
    fn settings(&self) -> Settings {
        self.common(Problem::LeastSquares, (1, 2))
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(async move {
            let space = Space::new(round)?;
            let mut steps = Steps::new(&space)?;
            space.begin(|recorder| steps.start(&space, recorder)).await?;
            let endings = iterate(Self::NAME, &space, &mut steps, control).await?;
            Ok(Found { x: steps.x, endings })
        })
    }
}

struct Steps {
    x: Tensor,
    p: Tensor,
    /// Aᵀ r.
    s: Tensor,
    r: Tensor,
    q: Tensor,
    /// |Aᵀ r|², before and after.
    gamma: Scalar,
    next_gamma: Scalar,
    /// |p|² and |A p|².
    squares: [Scalar; 2],
    alpha: Scalar,
    beta: Scalar,
    length: Formula,
    direction: Formula,
}

impl Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let number = || space.scalar(0.0);
        let (gamma, next_gamma, squares) = (number()?, number()?, [number()?, number()?]);
        let (alpha, beta, tolerance) = (number()?, number()?, space.scalar(space.round.tolerance as f32)?);
        let Space { active, count, square, goal, is_normal, norm, .. } = space;
        let [pp, qq] = &squares;
        // ‖A‖ >= |A p| / |p|
        let length = Formula::new(
            space,
            [&gamma, pp, qq, norm, count],
            [active, &alpha, norm, count],
            |[gamma, pp, qq, norm, count]| {
                let norm = norm.max(qq.over(pp).sqrt());
                [qq.is_positive(), gamma / qq, norm, count + count.constant(1.0)]
            },
        )?;
        let direction = Formula::new(
            space,
            [&gamma, &next_gamma, square, goal, norm, is_normal, &tolerance],
            [active, is_normal, &beta, &gamma],
            |[gamma, next, square, goal, norm, _, tolerance]| {
                let least = tolerance * norm;
                let goes_on = (next - least * least * square).is_positive();
                let is_normal = goes_on.not().pick(next + next.constant(1.0));
                [(square - goal).is_positive() * goes_on, is_normal, next / gamma, next]
            },
        )?;
        let (x, p, s) = (space.domain()?, space.domain()?, space.domain()?);
        let (r, q) = (space.codomain()?, space.codomain()?);
        Ok(Self { x, p, s, r, q, gamma, next_gamma, squares, alpha, beta, length, direction })
    }

    /// r = b, p = Aᵀ r
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        space.copy(recorder, &space.round.start.right, &self.r)?;
        space.apply_adjoint(recorder, &self.r, &self.p)?;
        space.dot(recorder, &self.r, &self.r, &space.square)?;
        space.dot(recorder, &self.p, &self.p, &self.gamma)
    }
}

impl Recurrence for Steps {
    /// alpha = |Aᵀ r|² / |A p|², x = x + alpha p, r = r - alpha A p, p = Aᵀ r + beta p
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let Self { x, p, s, r, q, squares: [pp, qq], .. } = self;
        space.apply(recorder, p, q)?;
        space.dot(recorder, p, p, pp)?;
        space.dot(recorder, q, q, qq)?;
        self.length.record(recorder)?;
        space.add(recorder, (1.0, &self.alpha), p, x)?;
        space.add(recorder, (-1.0, &self.alpha), q, r)?;
        space.apply_adjoint(recorder, r, s)?;
        space.dot(recorder, r, r, &space.square)?;
        space.dot(recorder, s, s, &self.next_gamma)?;
        self.direction.record(recorder)?;
        space.shift(recorder, s, &self.beta, p)
    }
}
