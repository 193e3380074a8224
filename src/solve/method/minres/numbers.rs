//! The numbers of MINRES, and their formulas.

use crate::Result;
use crate::solve::step::formula::Formula;
use crate::solve::step::scalar::Scalar;
use crate::solve::step::space::Space;

/// The |A r| / (‖A‖ |r|) below which rounding in `f32` lets none fall.
const FLOOR: f64 = 4e-6;

/// The numbers of Lanczos' recurrence and of the rotations.
pub(in crate::solve) struct Numbers {
    /// rᵀ M r, which is beta².
    pub(in crate::solve) square_of_beta: Scalar,
    beta: Scalar,
    pub(in crate::solve) alfa: Scalar,
    /// 1 / beta, beta / (the beta before), and alfa / beta.
    pub(in crate::solve) inverse: Scalar,
    pub(in crate::solve) back: Scalar,
    pub(in crate::solve) shift: Scalar,
    cs: Scalar,
    sn: Scalar,
    dbar: Scalar,
    epsln: Scalar,
    phibar: Scalar,
    /// The sum of the squares of all alphas and betas.
    tnorm: Scalar,
    /// |r|² / beta² of the start, which differ where there is a preconditioner.
    ratio: Scalar,
    tolerance: Scalar,
    /// Of the update of w: 1 / gamma, -epsilon / gamma, delta / gamma; and phi.
    pub(in crate::solve) update: [Scalar; 4],
}

impl Numbers {
    pub(in crate::solve) fn new(space: &Space<'_>) -> Result<Self> {
        let zero = || space.scalar(0.0);
        Ok(Self {
            square_of_beta: zero()?,
            beta: zero()?,
            alfa: zero()?,
            inverse: zero()?,
            back: zero()?,
            shift: zero()?,
            cs: space.scalar(-1.0)?,
            sn: zero()?,
            dbar: zero()?,
            epsln: zero()?,
            phibar: zero()?,
            tnorm: zero()?,
            ratio: zero()?,
            tolerance: space.scalar(space.round.tolerance.max(FLOOR) as f32)?,
            update: [zero()?, zero()?, zero()?, zero()?],
        })
    }

    /// The first beta.
    pub(in crate::solve) fn start(&self, space: &Space<'_>) -> Result<Formula> {
        let Self { square_of_beta, beta, inverse, phibar, ratio, .. } = self;
        Formula::new(space, [square_of_beta, &space.square], [inverse, ratio, beta, phibar], |[of_beta, square]| {
            let beta = of_beta.sqrt();
            [beta.constant(1.0).over(beta), square.over(of_beta), beta, beta]
        })
    }

    /// The multiple of the newest r that the next lacks.
    pub(in crate::solve) fn middle(&self, space: &Space<'_>) -> Result<Formula> {
        Formula::new(space, [&self.alfa, &self.beta], [&self.shift], |[alfa, beta]| [alfa.over(beta)])
    }

    /// The next rotation; a vector whose x before this step was a least-squares solution is done.
    pub(in crate::solve) fn rotation(&self, space: &Space<'_>) -> Result<Formula> {
        let Self { square_of_beta, beta, alfa, inverse, back, cs, sn, dbar, epsln, phibar, tnorm, tolerance, .. } =
            self;
        let ([by_gamma, by_epsilon, by_delta, phi], Space { active, count, is_normal, norm, .. }) =
            (&self.update, space);
        Formula::new(
            space,
            [alfa, square_of_beta, beta, cs, sn, dbar, epsln, phibar, tnorm, tolerance, is_normal, count, norm],
            [
                active, is_normal, norm, count, tnorm, cs, sn, dbar, epsln, phibar, beta, inverse, back, by_gamma,
                by_epsilon, by_delta, phi,
            ],
            |[alfa, square_of_beta, old, cs, sn, dbar, epsln, phibar, tnorm, tolerance, _, count, _]| {
                let (one, beta) = (old.constant(1.0), square_of_beta.sqrt());
                let tnorm = tnorm + alfa.square() + old.square().pick(count) + square_of_beta;
                let delta = cs * dbar + sn * alfa;
                let gbar = sn * dbar - cs * alfa;
                let next_dbar = -(cs * beta);
                // |A r| of the x before this step is phibar · root.
                let root = gbar.hypot(next_dbar);
                let goes_on = (root - tolerance * tnorm.sqrt()).is_positive();
                let is_normal = goes_on.not().pick(root + one);
                let gamma = gbar.hypot(beta);
                let (next_cs, next_sn, by_gamma) = (gbar.over(gamma), beta.over(gamma), one.over(gamma));
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
        )
    }

    /// The end of a step: |r|² from phibar.
    pub(in crate::solve) fn end(&self, space: &Space<'_>) -> Result<Formula> {
        let Space { active, square, goal, .. } = space;
        let (inputs, outputs) = ([&self.phibar, &self.ratio, square, goal], [active, square]);
        Formula::new(space, inputs, outputs, |[phibar, ratio, _, goal]| {
            let square = phibar.square() * ratio;
            [(square - goal).is_positive(), square]
        })
    }
}
