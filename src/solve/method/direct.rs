//! Systems by LU factors of the matrix.

use futures::future::LocalBoxFuture;
use futures::lock::Mutex;

use crate::device::Buffer;
use crate::iterate::{Control, Progress};
use crate::operator::LinearOperator;
use crate::ops::{self, Rows};
use crate::solve::dense::factors::LuStatus;
use crate::solve::dense::lu::Lu;
use crate::solve::outer::round::{End, Ending, Found, Method, Problem, Round, Settings};
use crate::solve::outer::rounds;
use crate::solve::solution::Solutions;
use crate::solve::system::{LinearSolver, System};
use crate::tensor::{Tensor, volume};
use crate::{OpenEnded, Result};

/// LU factors of a square A with partial pivoting, for any operator of a moderate size.
///
/// A is formed by one product with each unit vector, and factored once. A solution starts again from the true residual
/// while that helps, which is one step each. [`crate::solve::SolveStatus::Singular`] is a matrix that is singular to
/// the precision of `f32`, whatever b is. [`Solutions::conditions`] has the estimates of [`Lu::conditions`].
///
/// ```
/// use opnorm::solve::{Direct, LinearSolver, SolveStatus};
/// use opnorm::{Device, Matrix, tensor::Tensor};
/// let device = Device::new()?;
/// let matrix = Matrix::from_slice(&device, 2, 2, &[0.0, 2.0, 4.0, 0.0])?;
/// let b = Tensor::from_slice(&device, &[1, 1, 2], &[2.0, 8.0])?;
/// let solutions = Direct::default().solve(&matrix, &b)?;
/// assert_eq!(solutions.single()?.status, SolveStatus::Converged);
/// assert_eq!(solutions.x.read(&device)?, [2.0, 1.0]);
/// assert_eq!(solutions.conditions, Some(vec![2.0]));
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// *Source*  Golub and Van Loan, *Matrix Computations* (4th edition, 2013), sections 3.4 and 3.5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Direct {
    /// The largest |b - A x| / |b| of a converged vector (1e-6).
    pub relative: f64,
    /// The limit of solutions of a vector from its true residual (1000).
    pub iterations: usize,
    /// Whether x and residuals are kept in `f64` on the host between starts, as for the other methods.
    pub refine: bool,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl Default for Direct {
    fn default() -> Self {
        Self { relative: 1e-6, iterations: 1000, refine: false, open_ended: OpenEnded::default() }
    }
}

const NAME: &str = "LU";

impl LinearSolver for Direct {
    fn name(&self) -> &'static str {
        NAME
    }

    fn solve_system_async<'a>(
        &'a self,
        system: System<'a>,
        control: Control<'a>,
    ) -> LocalBoxFuture<'a, Result<Solutions>> {
        Box::pin(async move {
            let factored = Factored { options: *self, lu: Mutex::default() };
            let solutions = rounds::solve(&factored, system, control).await?;
            let conditions = match factored.lu.into_inner() {
                Some(lu) => Some(lu.conditions_async().await?),
                None => None,
            };
            Ok(Solutions { conditions, ..solutions })
        })
    }
}

/// The method with the factors of its operator, made in the first round.
struct Factored {
    options: Direct,
    lu: Mutex<Option<Lu>>,
}

impl Method for Factored {
    fn settings(&self) -> Settings {
        let Direct { relative, iterations, refine, .. } = self.options;
        Settings { name: NAME, problem: Problem::Square, relative, iterations, refine, restart: None, products: (0, 0) }
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(async move {
            let vectors = round.vectors();
            control.report(|| Progress::new(NAME, "solutions", 0, vectors))?;
            let mut held = self.lu.lock().await;
            let lu = match &mut *held {
                Some(lu) => &*lu,
                none => &*none.insert(factored(round.operator).await?),
            };
            let end = |vector: usize| match lu.statuses()[vector / round.width.max(1)] {
                LuStatus::Regular => End::Reached,
                LuStatus::Singular { .. } => End::Normal,
                LuStatus::NonFinite => End::NonFinite,
            };
            let endings: Vec<Ending> =
                (0..vectors).map(|vector| Ending { end: end(vector), steps: 1, norm: 0.0 }).collect();
            let size = volume(&round.operator.domain());
            let flat = round.start.right.reshaped(&[round.operator.batch(), round.width, size])?;
            let solved = lu.solve(&flat)?;
            // Factors that mean nothing give no step.
            let means = |(ending, open): (&Ending, &bool)| u32::from(*open && ending.end == End::Reached);
            let mask: Vec<u32> = endings.iter().zip(&round.start.open).map(means).collect();
            let device = round.operator.device();
            let (mask, ones) = (Buffer::from_slice(device, NAME, &mask)?, vec![1.0; vectors]);
            let ones = Buffer::from_slice(device, NAME, &ones)?;
            let x = round.zeros(&round.operator.domain())?;
            let mut recorder = device.recorder();
            recorder.masked(&mask, |recorder| {
                ops::scale(recorder, Rows { vectors, length: size }, &ones, solved.buffer(), x.buffer())
            })?;
            recorder.submit_async().await?;
            Ok(Found { x, endings })
        })
    }
}

/// The factors of an operator, whose rows are the products of its adjoint with the unit vectors.
async fn factored(operator: &dyn LinearOperator) -> Result<Lu> {
    let (device, batch, size) = (operator.device(), operator.batch(), volume(&operator.domain()));
    let [from, to] = [operator.codomain(), operator.domain()].map(|shape| [&[batch, size], &shape[..]].concat());
    let (units, rows) = (Tensor::identities(device, &from, size)?, Tensor::zeros(device, &to)?);
    let mut recorder = device.recorder();
    operator.apply_adjoint(&mut recorder, &units, &rows)?;
    recorder.submit_async().await?;
    Lu::factor_async(device, &rows.reshaped(&[batch, size, size])?).await
}
