//! The minimal residual method.

mod numbers;

use futures::future::LocalBoxFuture;

use self::numbers::Numbers;
use crate::Result;
use crate::device::Recorder;
use crate::iterate::Control;
use crate::solve::method::options::options;
use crate::solve::outer::round::{Found, Method, Problem, Round, Settings};
use crate::solve::step::formula::Formula;
use crate::solve::step::recurrence::{Recurrence, run};
use crate::solve::step::space::Space;
use crate::tensor::Tensor;

options! {
    /// MINRES, for symmetric A, definite or not, singular or not.
    ///
    /// A preconditioner must be symmetric and definite. A system without a solution ends as
    /// [`crate::solve::SolveStatus::Singular`], with an x of least |b - A x|.
    ///
    /// *Source*  Paige and Saunders, *Solution of sparse indefinite systems of linear equations*, 1975; the letters are
    /// those of their program.
    Minres, "MINRES"
}

impl Method for Minres {
    fn settings(&self) -> Settings {
        self.common(Problem::Symmetric, (0, 1))
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(run::<Steps>(Self::NAME, round, control))
    }
}

struct Steps {
    x: Tensor,
    v: Tensor,
    /// Two residual vectors of Lanczos' recurrence, the older first, and memory for the next.
    r: [Tensor; 3],
    /// M times the newest of them.
    z: Tensor,
    /// The last two directions, the older first.
    w: [Tensor; 2],
    numbers: Numbers,
    start: Formula,
    middle: Formula,
    rotation: Formula,
    end: Formula,
}

impl Recurrence for Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let zeros = || space.domain();
        let (r, w) = ([zeros()?, zeros()?, zeros()?], [zeros()?, zeros()?]);
        let (x, v, z) = (zeros()?, zeros()?, zeros()?);
        let numbers = Numbers::new(space)?;
        let (start, middle) = (numbers.start(space)?, numbers.middle(space)?);
        let (rotation, end) = (numbers.rotation(space)?, numbers.end(space)?);
        Ok(Self { x, v, r, z, w, numbers, start, middle, rotation, end })
    }

    /// The newest r = b, and its beta
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let r = &self.r[1];
        space.copy(recorder, &space.round.start.right, r)?;
        let z = space.preconditioned(recorder, r, &self.z)?;
        space.dot(recorder, r, r, &space.square)?;
        space.dot(recorder, r, z, &self.numbers.square_of_beta)?;
        self.start.record(recorder)
    }

    /// v = z / beta, next = A v - (alfa / beta) newer - (beta / beta before) older, and x = x + phi w, with w the next
    /// direction of the QR factorisation of Lanczos' tridiagonal matrix
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let [older, newer, next] = &self.r;
        let z = if space.round.preconditioner.is_some() { &self.z } else { newer };
        space.scale(recorder, &self.numbers.inverse, z, &self.v)?;
        space.apply(recorder, &self.v, next)?;
        space.add(recorder, (-1.0, &self.numbers.back), older, next)?;
        space.dot(recorder, &self.v, next, &self.numbers.alfa)?;
        self.middle.record(recorder)?;
        space.add(recorder, (-1.0, &self.numbers.shift), newer, next)?;
        let z = space.preconditioned(recorder, next, &self.z)?;
        space.dot(recorder, next, z, &self.numbers.square_of_beta)?;
        self.rotation.record(recorder)?;
        let ([w_older, w_newer], [by_gamma, by_epsilon, by_delta, phi]) = (&self.w, &self.numbers.update);
        space.combine(recorder, (1.0, by_gamma, &self.v), (by_epsilon, w_older))?;
        space.add(recorder, (-1.0, by_delta), w_newer, w_older)?;
        space.add(recorder, (1.0, phi), w_older, &self.x)?;
        self.end.record(recorder)?;
        self.r.rotate_left(1);
        self.w.swap(0, 1);
        Ok(())
    }

    fn solution(&self) -> &Tensor {
        &self.x
    }
}
