//! The minimal residual method.

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
    /// MINRES, for symmetric A, definite or not, singular or not.
    ///
    /// A preconditioner must be symmetric and definite. A system without a solution ends as
    /// [`super::SolveStatus::Singular`], with an x of least |b - A x|.
    ///
    /// *Source*  Paige and Saunders, *Solution of sparse indefinite systems of linear equations*, 1975; the letters are
    /// those of their program.
    Minres, "MINRES"
}

/// The |A r| / (‖A‖ |r|) below which rounding in `f32` lets none fall.
const FLOOR: f64 = 4e-6;

impl Method for Minres {
    fn settings(&self) -> Settings {
        self.common(Problem::Symmetric, (0, 1))
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
    v: Tensor,
    /// Two residual vectors of Lanczos' recurrence, the older first, and memory for the next.
    r: [Tensor; 3],
    /// M times the newest of them.
    z: Tensor,
    /// The last two directions, the older first.
    w: [Tensor; 2],
    /// rᵀ M r, beta², before its root.
    square_of_beta: Scalar,
    alfa: Scalar,
    /// 1 / beta, beta / (the beta before), and alfa / beta.
    inverse: Scalar,
    back: Scalar,
    shift: Scalar,
    /// Of the update of w: 1 / gamma, -epsilon / gamma, delta / gamma; and phi.
    update: [Scalar; 4],
    start: Formula,
    middle: Formula,
    rotation: Formula,
    end: Formula,
}

impl Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let number = || space.scalar(0.0);
        let (square_of_beta, alfa, beta, tnorm) = (number()?, number()?, number()?, number()?);
        let (inverse, back, shift) = (number()?, number()?, number()?);
        let update = [number()?, number()?, number()?, number()?];
        let (cs, sn, dbar, epsln, phibar) = (space.scalar(-1.0)?, number()?, number()?, number()?, number()?);
        let (ratio, tolerance) = (number()?, space.scalar(space.round.tolerance.max(FLOOR) as f32)?);
        let Space { active, count, square, goal, is_normal, norm, .. } = space;
        let start = Formula::new(
            space,
            [&square_of_beta, square, &beta, &phibar],
            [&inverse, &ratio, &beta, &phibar],
            |[square_of_beta, square, ..]| {
                let beta = square_of_beta.sqrt();
                [beta.constant(1.0).over(beta), square.over(square_of_beta), beta, beta]
            },
        )?;
        let middle = Formula::new(space, [&alfa, &beta], [&shift], |[alfa, beta]| [alfa.over(beta)])?;
        let [by_gamma, by_epsilon, by_delta, phi] = &update;
        let rotation = Formula::new(
            space,
            [
                &alfa,
                &square_of_beta,
                &beta,
                &cs,
                &sn,
                &dbar,
                &epsln,
                &phibar,
                &tnorm,
                &tolerance,
                is_normal,
                count,
                norm,
            ],
            [
                active, is_normal, norm, count, &tnorm, &cs, &sn, &dbar, &epsln, &phibar, &beta, &inverse, &back,
                by_gamma, by_epsilon, by_delta, phi,
            ],
            |[alfa, square_of_beta, old, cs, sn, dbar, epsln, phibar, tnorm, tolerance, _, count, _]| {
                let one = old.constant(1.0);
                let beta = square_of_beta.sqrt();
                let tnorm = tnorm + alfa.square() + old.square().pick(count) + square_of_beta;
                let delta = cs * dbar + sn * alfa;
                let gbar = sn * dbar - cs * alfa;
                let next_dbar = -(cs * beta);
                // |A r| of the x before this step is phibar · root.
                let root = gbar.hypot(next_dbar);
                let goes_on = (root - tolerance * tnorm.sqrt()).is_positive();
                let is_normal = goes_on.not().pick(root + one);
                let gamma = gbar.hypot(beta);
                let (next_cs, next_sn) = (gbar.over(gamma), beta.over(gamma));
                let by_gamma = one.over(gamma);
                [
                    goes_on,
                    is_normal,
                    tnorm.sqrt(),
                    count + one,
                    tnorm,
                    next_cs,
                    next_sn,
                    next_dbar,
                    sn * beta,
                    next_sn * phibar,
                    beta,
                    one.over(beta),
                    beta.over(old),
                    by_gamma,
                    -(epsln * by_gamma),
                    delta * by_gamma,
                    next_cs * phibar,
                ]
            },
        )?;
        let end =
            Formula::new(space, [&phibar, &ratio, square, goal], [active, square], |[phibar, ratio, _, goal]| {
                let square = phibar.square() * ratio;
                [(square - goal).is_positive(), square]
            })?;
        let zeros = || space.domain();
        let (r, w) = ([zeros()?, zeros()?, zeros()?], [zeros()?, zeros()?]);
        let (x, v, z) = (zeros()?, zeros()?, zeros()?);
        Ok(Self { x, v, r, z, w, square_of_beta, alfa, inverse, back, shift, update, start, middle, rotation, end })
    }

    /// The newest r = b, and its beta
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let r = &self.r[1];
        space.copy(recorder, &space.round.start.right, r)?;
        let z = space.preconditioned(recorder, r, &self.z)?;
        space.dot(recorder, r, r, &space.square)?;
        space.dot(recorder, r, z, &self.square_of_beta)?;
        self.start.record(recorder)
    }
}

impl Recurrence for Steps {
    /// v = z / beta, r = A v - (alfa / beta) r_before - (beta / beta_before) r_before_that, and x = x + phi w with w the
    /// next direction of the QR factorisation of Lanczos' tridiagonal matrix
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let [older, newer, next] = &self.r;
        let z = if space.round.preconditioner.is_some() { &self.z } else { newer };
        space.scale(recorder, &self.inverse, z, &self.v)?;
        space.apply(recorder, &self.v, next)?;
        space.add(recorder, (-1.0, &self.back), older, next)?;
        space.dot(recorder, &self.v, next, &self.alfa)?;
        self.middle.record(recorder)?;
        space.add(recorder, (-1.0, &self.shift), newer, next)?;
        let z = space.preconditioned(recorder, next, &self.z)?;
        space.dot(recorder, next, z, &self.square_of_beta)?;
        self.rotation.record(recorder)?;
        let ([w_older, w_newer], [by_gamma, by_epsilon, by_delta, phi]) = (&self.w, &self.update);
        space.combine(recorder, (1.0, by_gamma, &self.v), (by_epsilon, w_older))?;
        space.add(recorder, (-1.0, by_delta), w_newer, w_older)?;
        space.add(recorder, (1.0, phi), w_older, &self.x)?;
        self.end.record(recorder)?;
        self.r.rotate_left(1);
        self.w.swap(0, 1);
        Ok(())
    }
}
