//! Linear systems, and the trait of all that solve them.

use futures::future::LocalBoxFuture;

use crate::iterate::Control;
use crate::operator::{LinearOperator, width};
use crate::solve::solution::Solutions;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The systems A x = b of a batch of operators, each with several right-hand sides.
///
/// ```
/// use opnorm::solve::{Gmres, Jacobi, LinearSolver, System};
/// use opnorm::{Device, Matrix, tensor::Tensor};
/// let device = Device::new()?;
/// let matrix = Matrix::from_slice(&device, 2, 2, &[100.0, 1.0, 0.0, 1.0])?;
/// let b = Tensor::from_slice(&device, &[1, 1, 2], &[101.0, 1.0])?;
/// let guess = Tensor::from_slice(&device, &[1, 1, 2], &[0.9, 0.9])?;
/// let jacobi = Jacobi::new(&matrix)?;
/// let system = System::new(&matrix, &b).starting_from(&guess).preconditioned(&jacobi);
/// let solutions = Gmres::default().solve_system(system)?;
/// assert!((solutions.x.read(&device)?[1] - 1.0).abs() < 1e-5);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct System<'a> {
    pub(super) operator: &'a dyn LinearOperator,
    pub(super) right: &'a Tensor,
    pub(super) guess: Option<&'a Tensor>,
    pub(super) preconditioner: Option<&'a dyn LinearOperator>,
}

impl<'a> System<'a> {
    /// The systems `operator` x = `right`.
    ///
    /// *Shapes*  `right`: batch × vectors × codomain
    pub fn new(operator: &'a dyn LinearOperator, right: &'a Tensor) -> Self {
        Self { operator, right, guess: None, preconditioner: None }
    }

    /// The same systems, solved from `guess` instead of from 0.
    ///
    /// *Shapes*  `guess`: batch × vectors × domain
    #[must_use]
    pub fn starting_from(self, guess: &'a Tensor) -> Self {
        Self { guess: Some(guess), ..self }
    }

    /// The same systems with a preconditioner M, about the inverse of A.
    ///
    /// Methods for symmetric A apply a symmetric definite M to residuals. The other methods solve A M y = b, with
    /// x = M y, so that residuals are those of A x = b.
    ///
    /// *Shapes*  `preconditioner`: from the domain of A to the domain of A, with the same batch
    #[must_use]
    pub fn preconditioned(self, preconditioner: &'a dyn LinearOperator) -> Self {
        Self { preconditioner: Some(preconditioner), ..self }
    }

    /// The number of right-hand sides of each batch item, where all shapes fit.
    pub(super) fn width(&self, name: &'static str, is_square: bool) -> Result<usize> {
        let (domain, codomain, batch) = (self.operator.domain(), self.operator.codomain(), self.operator.batch());
        let mismatch = |expected: String, found: String| Error::ShapeMismatch { operation: name, expected, found };
        if is_square && domain != codomain {
            let expected = format!("an operator from {domain:?} to itself: LSMR and CGNR take any");
            return Err(mismatch(expected, format!("{codomain:?}")));
        }
        let vectors = width(name, batch, &codomain, self.right)?;
        if let Some(guess) = self.guess
            && width(name, batch, &domain, guess)? != vectors
        {
            return Err(mismatch(format!("a guess for each of {vectors} vectors"), format!("{:?}", guess.shape())));
        }
        if let Some(m) = self.preconditioner
            && (m.batch(), m.domain(), m.codomain()) != (batch, domain.clone(), domain.clone())
        {
            let expected = format!("a preconditioner of {batch} maps from {domain:?} to itself");
            return Err(mismatch(expected, format!("{} from {:?} to {:?}", m.batch(), m.domain(), m.codomain())));
        }
        Ok(vectors)
    }
}

/// A method that solves A x = b for any [`LinearOperator`].
///
/// Each vector has its own end: it takes the steps, and gets the bits, that it would alone. Right-hand sides are scaled
/// by powers of two, so that tolerances do not depend on the scale of b. b = 0 has the solution x = 0.
///
/// ```
/// use opnorm::solve::{Auto, Gmres, LinearSolver, SolveStatus};
/// use opnorm::{Device, Matrix, tensor::Tensor};
/// let device = Device::new()?;
/// let matrix = Matrix::from_slice(&device, 2, 2, &[3.0, 1.0, 0.0, 2.0])?;
/// let b = Tensor::from_slice(&device, &[1, 1, 2], &[4.0, 2.0])?;
/// for solver in [&Gmres::default() as &dyn LinearSolver, &Auto::default()] {
///     let solutions = solver.solve(&matrix, &b)?;
///     assert_eq!(solutions.single()?.status, SolveStatus::Converged);
///     assert!(solutions.x.read(&device)?.iter().all(|x| (x - 1.0).abs() < 1e-5));
/// }
/// # Ok::<(), opnorm::Error>(())
/// ```
pub trait LinearSolver {
    /// The name of the method.
    fn name(&self) -> &'static str;

    /// Solves systems with a control (progress), without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when shapes do not fit; [`Error::InvalidOption`] for options out of range, and for a
    /// refinement where the operator has no products on the host; any error of the device or of the control's listener.
    fn solve_system_async<'a>(
        &'a self,
        system: System<'a>,
        control: Control<'a>,
    ) -> LocalBoxFuture<'a, Result<Solutions>>;

    /// [`LinearSolver::solve_system_async`], on this thread.
    ///
    /// # Errors
    /// As [`LinearSolver::solve_system_async`].
    fn solve_system(&self, system: System<'_>) -> Result<Solutions> {
        system.operator.device().block_on(self.solve_system_async(system, Control::default()))
    }

    /// Solves `operator` x = `right` from x = 0.
    ///
    /// # Errors
    /// As [`LinearSolver::solve_system_async`].
    fn solve(&self, operator: &dyn LinearOperator, right: &Tensor) -> Result<Solutions> {
        self.solve_system(System::new(operator, right))
    }

    /// [`LinearSolver::solve`] with a control, without blocking the thread.
    ///
    /// # Errors
    /// As [`LinearSolver::solve_system_async`].
    fn solve_async<'a>(
        &'a self,
        operator: &'a dyn LinearOperator,
        right: &'a Tensor,
        control: Control<'a>,
    ) -> LocalBoxFuture<'a, Result<Solutions>> {
        self.solve_system_async(System::new(operator, right), control)
    }
}
