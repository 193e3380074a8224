//! LSMR: MINRES on the normal equations, without forming them.

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
        Box::pin(async move {
            let space = Space::new(round)?;
            let numbers = Numbers::new(&space)?;
            let mut steps = Steps::new(&space, &numbers)?;
            space.begin(|recorder| steps.start(&space, &numbers, recorder)).await?;
            let endings = iterate(Self::NAME, &space, &mut steps, control).await?;
            Ok(Found { x: steps.x, endings })
        })
    }
}

/// The numbers of Golub and Kahan's recurrence, and of the two rotations.
struct Numbers {
    square: Scalar,
    alpha: Scalar,
    beta: Scalar,
    by_alpha: Scalar,
    by_beta: Scalar,
    alphabar: Scalar,
    rho: Scalar,
    rhobar: Scalar,
    cbar: Scalar,
    sbar: Scalar,
    zeta: Scalar,
    zetabar: Scalar,
    /// The sum of the squares of all alphas and betas.
    norm_square: Scalar,
    /// |r|² and its parts.
    residual: Residual,
    /// The factors of hbar, x and h.
    update: [Scalar; 3],
}

/// The numbers of the estimate of |r|.
struct Residual {
    square: Scalar,
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
    fn new(space: &Space<'_>) -> Result<Self> {
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
    fn first(&self, space: &Space<'_>) -> Result<[Formula; 2]> {
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
    fn beta(&self, space: &Space<'_>) -> Result<Formula> {
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
    fn rotations(&self, space: &Space<'_>) -> Result<Formula> {
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
    fn residual(&self, space: &Space<'_>) -> Result<Formula> {
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
    fn end(&self, space: &Space<'_>) -> Result<Formula> {
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
}

impl Steps {
    fn new(space: &Space<'_>, numbers: &Numbers) -> Result<Self> {
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
        })
    }

    /// beta u = b, alpha v = Aᵀ u, h = v
    fn start(&self, space: &Space<'_>, numbers: &Numbers, recorder: &mut Recorder) -> Result<()> {
        let [of_beta, of_alpha] = numbers.first(space)?;
        space.dot(recorder, &space.round.start.right, &space.round.start.right, &space.square)?;
        of_beta.record(recorder)?;
        space.scale(recorder, &self.by_beta, &space.round.start.right, &self.u)?;
        space.apply_adjoint(recorder, &self.u, &self.short)?;
        space.dot(recorder, &self.short, &self.short, &self.square)?;
        of_alpha.record(recorder)?;
        space.scale(recorder, &self.by_alpha, &self.short, &self.v)?;
        space.copy(recorder, &self.v, &self.h)
    }
}

impl Recurrence for Steps {
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
}
