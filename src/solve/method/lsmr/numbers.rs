//! The numbers of LSMR, and their formulas.

use crate::Result;
use crate::solve::step::formula::Formula;
use crate::solve::step::scalar::Scalar;
use crate::solve::step::space::Space;

/// The numbers of Golub and Kahan's recurrence, and of the two rotations.
pub(in crate::solve) struct Numbers {
    pub(in crate::solve) square: Scalar,
    pub(in crate::solve) alpha: Scalar,
    pub(in crate::solve) beta: Scalar,
    pub(in crate::solve) by_alpha: Scalar,
    pub(in crate::solve) by_beta: Scalar,
    pub(in crate::solve) alphabar: Scalar,
    pub(in crate::solve) rho: Scalar,
    pub(in crate::solve) rhobar: Scalar,
    pub(in crate::solve) cbar: Scalar,
    pub(in crate::solve) sbar: Scalar,
    pub(in crate::solve) zeta: Scalar,
    pub(in crate::solve) zetabar: Scalar,
    /// The sum of the squares of all alphas and betas.
    pub(in crate::solve) norm_square: Scalar,
    /// |r|² and its parts.
    pub(in crate::solve) residual: Residual,
    /// The factors of hbar, x and h.
    pub(in crate::solve) update: [Scalar; 3],
}

/// The numbers of the estimate of |r|.
pub(in crate::solve) struct Residual {
    pub(in crate::solve) square: Scalar,
    betahat: Scalar,
    betadd: Scalar,
    betad: Scalar,
    rhodold: Scalar,
    tautildeold: Scalar,
    thetatilde: Scalar,
    thetabar: Scalar,
    zeta_before: Scalar,
}

impl Numbers {
    pub(in crate::solve) fn new(space: &Space<'_>) -> Result<Self> {
        let (zero, one) = (|| space.scalar(0.0), || space.scalar(1.0));
        Ok(Self {
            square: zero()?,
            alpha: zero()?,
            beta: zero()?,
            by_alpha: zero()?,
            by_beta: zero()?,
            alphabar: zero()?,
            rho: one()?,
            rhobar: one()?,
            cbar: one()?,
            sbar: zero()?,
            zeta: zero()?,
            zetabar: zero()?,
            norm_square: zero()?,
            residual: Residual {
                square: zero()?,
                betahat: zero()?,
                betadd: zero()?,
                betad: zero()?,
                rhodold: one()?,
                tautildeold: zero()?,
                thetatilde: zero()?,
                thetabar: zero()?,
                zeta_before: zero()?,
            },
            update: [zero()?, zero()?, zero()?],
        })
    }

    /// The first beta, and the first alpha.
    pub(in crate::solve) fn first(&self, space: &Space<'_>) -> Result<[Formula; 2]> {
        let Self { square, alpha, beta, by_alpha, by_beta, alphabar, zetabar, norm_square, residual, .. } = self;
        let Space { active, is_normal, .. } = space;
        let of_beta = Formula::new(space, [&space.square], [beta, by_beta, &residual.betadd], |[square]| {
            let beta = square.sqrt();
            [beta, beta.constant(1.0).over(beta), beta]
        })?;
        let of_alpha = Formula::new(
            space,
            [square, beta, is_normal],
            [active, is_normal, alpha, by_alpha, alphabar, zetabar, norm_square],
            |[square, beta, _]| {
                let (alpha, some) = (square.sqrt(), square.is_positive());
                [some, some.not(), alpha, alpha.constant(1.0).over(alpha), alpha, alpha * beta, square]
            },
        )?;
        Ok([of_beta, of_alpha])
    }

    /// beta of a step.
    pub(in crate::solve) fn beta(&self, space: &Space<'_>) -> Result<Formula> {
        let Self { square, beta, by_beta, norm_square, .. } = self;
        Formula::new(
            space,
            [square, norm_square, &space.count, &space.norm],
            [beta, by_beta, norm_square, &space.norm, &space.count],
            |[square, norm_square, count, _]| {
                let (beta, norm_square) = (square.sqrt(), norm_square + square);
                [beta, beta.constant(1.0).over(beta), norm_square, norm_square.sqrt(), count + count.constant(1.0)]
            },
        )
    }

    /// alpha of a step, and both rotations.
    pub(in crate::solve) fn rotations(&self, space: &Space<'_>) -> Result<Formula> {
        let Self { square, alpha, beta, by_alpha, alphabar, rho, rhobar, cbar, sbar, zeta, zetabar, .. } = self;
        let (norm_square, residual, [hbar_factor, x_factor, h_factor]) =
            (&self.norm_square, &self.residual, &self.update);
        Formula::new(
            space,
            [square, beta, alphabar, rho, rhobar, cbar, sbar, zeta, zetabar, norm_square, &residual.betadd],
            [
                alpha,
                by_alpha,
                alphabar,
                rho,
                rhobar,
                cbar,
                sbar,
                zeta,
                zetabar,
                norm_square,
                &residual.betadd,
                &residual.betahat,
                &residual.thetabar,
                &residual.zeta_before,
                hbar_factor,
                x_factor,
                h_factor,
            ],
            |[square, beta, alphabar, rho_old, rhobar_old, cbar, sbar, zeta_old, zetabar, norm_square, betadd]| {
                let alpha = square.sqrt();
                let rho = alphabar.hypot(beta);
                let (c, s) = (alphabar.over(rho), beta.over(rho));
                let (theta, thetabar, rhotemp) = (s * alpha, sbar * rho, cbar * rho);
                let rhobar = rhotemp.hypot(theta);
                let (cbar, sbar) = (rhotemp.over(rhobar), theta.over(rhobar));
                let zeta = cbar * zetabar;
                [
                    alpha,
                    alpha.constant(1.0).over(alpha),
                    c * alpha,
                    rho,
                    rhobar,
                    cbar,
                    sbar,
                    zeta,
                    -(sbar * zetabar),
                    norm_square + square,
                    -(s * betadd),
                    c * betadd,
                    thetabar,
                    zeta_old,
                    -(thetabar * rho).over(rho_old * rhobar_old),
                    zeta.over(rho * rhobar),
                    -theta.over(rho),
                ]
            },
        )
    }

    /// |r|² from the rotations.
    pub(in crate::solve) fn residual(&self, space: &Space<'_>) -> Result<Formula> {
        let Residual { square, betahat, betadd, betad, rhodold, tautildeold, thetatilde, thetabar, zeta_before } =
            &self.residual;
        Formula::new(
            space,
            [betahat, betadd, betad, rhodold, tautildeold, thetatilde, thetabar, zeta_before, &self.zeta, &self.rhobar],
            [square, betad, rhodold, tautildeold, thetatilde],
            |[betahat, betadd, betad, rhodold, tau_old, theta_old, thetabar, zeta_before, zeta, rhobar]| {
                let rhotilde = rhodold.hypot(thetabar);
                let (c, s) = (rhodold.over(rhotilde), thetabar.over(rhotilde));
                let (theta, rhod) = (s * rhobar, c * rhobar);
                let betad = c * betahat - s * betad;
                let tau = (zeta_before - theta_old * tau_old).over(rhotilde);
                let taud = (zeta - theta * tau).over(rhod);
                [(betad - taud).square() + betadd.square(), betad, rhod, tau, theta]
            },
        )
    }

    /// The end of a step.
    pub(in crate::solve) fn end(&self, space: &Space<'_>) -> Result<Formula> {
        let tolerance = space.scalar(space.round.tolerance as f32)?;
        let Space { active, square, goal, is_normal, norm, .. } = space;
        Formula::new(
            space,
            [&self.residual.square, &self.zetabar, goal, norm, &tolerance, is_normal, square],
            [active, is_normal, square],
            |[square, zetabar, goal, norm, tolerance, ..]| {
                let goes_on = (zetabar.abs() - tolerance * norm * square.sqrt()).is_positive();
                let is_normal = goes_on.not().pick(square + square.constant(1.0));
                [(square - goal).is_positive() * goes_on, is_normal, square]
            },
        )
    }
}
