//! The choice of a method by what an operator claims.

use futures::future::LocalBoxFuture;

use super::{ConjugateGradients, Gmres, LinearSolver, Lsmr, Minres, Neumann, Solutions, System};
use crate::iterate::Control;
use crate::operator::{Definiteness, LinearOperator};
use crate::{OpenEnded, Result};

/// The method that fits what the operator claims; [`Solutions::solver`] and [`Solutions::reason`] say which, and why.
///
/// | claim | method |
/// |---|---|
/// | domain and codomain differ | [`Lsmr`] |
/// | definite | [`ConjugateGradients`] |
/// | norm of A - I at most 0.6 | [`Neumann`] |
/// | symmetric | [`Minres`] |
/// | none | [`Gmres`] |
///
/// ```
/// use opnorm::solve::{Auto, LinearSolver};
/// use opnorm::operator::{Claimed, Claims, Definiteness};
/// use opnorm::{Device, Matrix, tensor::Tensor};
/// let device = Device::new()?;
/// let matrix = Matrix::from_slice(&device, 2, 2, &[2.0, 1.0, 1.0, 2.0])?;
/// let definite = Claimed::new(matrix, Claims::default().with_definiteness(Definiteness::Definite));
/// let b = Tensor::from_slice(&device, &[1, 1, 2], &[3.0, 3.0])?;
/// let solutions = Auto::default().solve(&definite, &b)?;
/// assert_eq!(solutions.solver, "conjugate gradients");
/// assert_eq!(solutions.reason, "the operator is symmetric and definite");
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auto {
    /// The largest |b - A x| / |b| of a converged vector (1e-6).
    pub relative: f64,
    /// The limit of steps of a vector, over all its starts (1000).
    pub iterations: usize,
    /// Whether x and residuals are kept in `f64` on the host between starts.
    pub refine: bool,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl Default for Auto {
    fn default() -> Self {
        Self { relative: 1e-6, iterations: 1000, refine: false, open_ended: OpenEnded::default() }
    }
}

/// The norm of G up to which Neumann's series is short: 27 steps to 1e-6.
const SHORT: f64 = 0.6;

impl Auto {
    /// The method for an operator, and the reason.
    pub fn choose(&self, operator: &dyn LinearOperator) -> (Box<dyn LinearSolver>, &'static str) {
        let Self { relative, iterations, refine, open_ended } = *self;
        let claims = operator.claims();
        if operator.domain() != operator.codomain() {
            let reason = "domain and codomain differ, so that x is a least-squares solution";
            return (Box::new(Lsmr { relative, iterations, refine, open_ended }), reason);
        }
        if claims.definiteness() == Definiteness::Definite {
            let reason = "the operator is symmetric and definite";
            return (Box::new(ConjugateGradients { relative, iterations, refine, open_ended }), reason);
        }
        if claims.distance_from_identity().upper <= SHORT {
            let reason = "the operator is I + G with a norm of G of at most 0.6";
            return (Box::new(Neumann { relative, iterations, refine, open_ended }), reason);
        }
        if claims.is_symmetric() {
            return (Box::new(Minres { relative, iterations, refine, open_ended }), "the operator is symmetric");
        }
        let gmres = Gmres { relative, iterations, refine, ..Gmres::default() };
        (Box::new(gmres), "the operator is square, and claims nothing that a shorter recurrence needs")
    }
}

impl LinearSolver for Auto {
    fn name(&self) -> &'static str {
        "auto"
    }

    fn solve_system_async<'a>(
        &'a self,
        system: System<'a>,
        control: Control<'a>,
    ) -> LocalBoxFuture<'a, Result<Solutions>> {
        Box::pin(async move {
            let (solver, reason) = self.choose(system.operator);
            let solutions = solver.solve_system_async(system, control).await?;
            Ok(Solutions { reason, ..solutions })
        })
    }
}
