//! LSMR: MINRES on the normal equations, without forming them.

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
use crate::solve::step::scalar::Scalar;
use crate::solve::step::space::Space;
use crate::tensor::Tensor;

options! {
    /// LSMR, for any A: the x of least |b - A x|, and of least norm among these.
    ///
    /// A vector is done where |b - A x| <= `relative` |b|, or where |Aᵀ r| <= `relative` ‖A‖ |r|.
    ///
    /// *Source*  Fong and Saunders, *LSMR: an iterative algorithm for sparse least-squares problems*, SIAM J. Sci.
    /// Comput. 33, 2011; the letters are those of the paper.
    Lsmr, "LSMR"
}

impl Method for Lsmr {
    fn settings(&self) -> Settings {
        self.common(Problem::LeastSquares, (1, 2))
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(run::<Steps>(Self::NAME, round, control))
    }
}

struct Steps {
    x: Tensor,
    u: Tensor,
    v: Tensor,
    h: Tensor,
    hbar: Tensor,
    /// Products before they are unit vectors.
    long: Tensor,
    short: Tensor,
    square: Scalar,
    alpha: Scalar,
    beta: Scalar,
    by_alpha: Scalar,
    by_beta: Scalar,
    update: [Scalar; 3],
    formulas: [Formula; 4],
    numbers: Numbers,
}

impl Recurrence for Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let numbers = Numbers::new(space)?;
        let (domain, codomain) = (|| space.domain(), || space.codomain());
        let formulas = [numbers.beta(space)?, numbers.rotations(space)?, numbers.residual(space)?, numbers.end(space)?];
        Ok(Self {
            x: domain()?,
            u: codomain()?,
            v: domain()?,
            h: domain()?,
            hbar: domain()?,
            long: codomain()?,
            short: domain()?,
            square: numbers.square.clone(),
            alpha: numbers.alpha.clone(),
            beta: numbers.beta.clone(),
            by_alpha: numbers.by_alpha.clone(),
            by_beta: numbers.by_beta.clone(),
            update: numbers.update.clone(),
            formulas,
            numbers,
        })
    }

    /// beta u = b, alpha v = Aᵀ u, h = v
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let [of_beta, of_alpha] = self.numbers.first(space)?;
        space.dot(recorder, &space.round.start.right, &space.round.start.right, &space.square)?;
        of_beta.record(recorder)?;
        space.scale(recorder, &self.by_beta, &space.round.start.right, &self.u)?;
        space.apply_adjoint(recorder, &self.u, &self.short)?;
        space.dot(recorder, &self.short, &self.short, &self.square)?;
        of_alpha.record(recorder)?;
        space.scale(recorder, &self.by_alpha, &self.short, &self.v)?;
        space.copy(recorder, &self.v, &self.h)
    }

    /// beta u = A v - alpha u, alpha v = Aᵀ u - beta v, and the updates of hbar, x and h
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let Self { x, u, v, h, hbar, long, short, .. } = self;
        let [of_beta, rotations, residual, end] = &self.formulas;
        space.apply(recorder, v, long)?;
        space.add(recorder, (-1.0, &self.alpha), u, long)?;
        space.dot(recorder, long, long, &self.square)?;
        of_beta.record(recorder)?;
        space.scale(recorder, &self.by_beta, long, u)?;
        space.apply_adjoint(recorder, u, short)?;
        space.add(recorder, (-1.0, &self.beta), v, short)?;
        space.dot(recorder, short, short, &self.square)?;
        rotations.record(recorder)?;
        space.scale(recorder, &self.by_alpha, short, v)?;
        let [hbar_factor, x_factor, h_factor] = &self.update;
        space.shift(recorder, h, hbar_factor, hbar)?;
        space.add(recorder, (1.0, x_factor), hbar, x)?;
        space.shift(recorder, v, h_factor, h)?;
        residual.record(recorder)?;
        end.record(recorder)
    }

    fn solution(&self) -> &Tensor {
        &self.x
    }
}
