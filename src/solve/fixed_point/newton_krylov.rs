//! Newton's method with a Krylov solver.

use super::course::{Course, Move, Seen};
use super::finish::measure;
use super::map::{FixedPoint, OPERATION, expect_shape};
use super::rule::Rule;
use super::solution::Solution;
use crate::bound::norm_of;
use crate::iterate::{Control, Progress};
use crate::solve::{Gmres, LinearSolver, System};
use crate::tape::Linearization;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Newton's method for x - f(x) = 0, whose linear systems (I - J) s = f(x) - x are solved by products with J alone.
///
/// Each item has its own end. A step to a residual above twice the smallest, or to NaN, is taken back: a plain step
/// from the best iterate follows. Iterates pass through the host, because each step waits for its linear systems.
///
/// *Source*  Dembo, Eisenstat and Steihaug, *Inexact Newton methods*, 1982.
///
/// ```
/// use opnorm::solve::fixed_point::{FixedPoint, NewtonKrylov};
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// let z = tape.input(&[1, 1])?;
/// let map = FixedPoint::of(&z, &z.cos()?, &[])?;
/// let solution = NewtonKrylov::default().solve(&map, &Tensor::zeros(&device, &[1, 1])?)?;
/// assert!(solution.is_converged() && solution.evaluations() <= 6);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewtonKrylov<S = Gmres> {
    /// The solver of the linear systems. Default: GMRES to a relative residual of 1e-2, in at most 100 steps.
    pub solver: S,
    /// The most evaluations of f. Default 50.
    pub limit: usize,
    /// The tolerance of the residual relative to |f(x)|. Default 1e-6.
    pub relative: f64,
    /// The tolerance of the residual that is added. Default 0.
    pub absolute: f64,
}

impl Default for NewtonKrylov {
    fn default() -> Self {
        let solver = Gmres { relative: 1e-2, iterations: 100, ..Gmres::default() };
        Self { solver, limit: 50, relative: 1e-6, absolute: 0.0 }
    }
}

impl<S: LinearSolver> NewtonKrylov<S> {
    /// Solves x = f(x) from `start`, each item by itself. Products of the linear solver are not counted as evaluations.
    ///
    /// *Shapes*  `start`: as the map, batch × any
    ///
    /// # Errors
    /// As [`Anderson::solve`](super::Anderson::solve); [`Error::ShapeMismatch`] for a map without a batch;
    /// [`Error::NotDifferentiable`] where f has no derivative; the errors of the linear solver.
    pub fn solve(&self, map: &FixedPoint, start: &Tensor) -> Result<Solution> {
        map.device.block_on(self.solve_async(map, start, Control::new()))
    }

    /// [`NewtonKrylov::solve`] without blocking the thread, with a listener.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`NewtonKrylov::solve`]; the listener's.
    pub async fn solve_async(&self, map: &FixedPoint, start: &Tensor, mut control: Control<'_>) -> Result<Solution> {
        let Self { limit, relative, absolute, .. } = *self;
        let rule =
            Rule { method: "Newton", differences: 0, regularisation: 0.0, mixing: 1.0, limit, relative, absolute };
        rule.check("mixing")?;
        expect_shape(&map.shape, start.shape())?;
        if map.shape.len() < 2 {
            let (expected, found) = ("a map of batch × any".to_string(), format!("{:?}", map.shape));
            return Err(Error::ShapeMismatch { operation: OPERATION, expected, found });
        }
        let mut iterates = Iterates::new(map, start).await?;
        let mut jacobian = None;
        for _ in 0..limit {
            if iterates.courses.iter().all(|course| course.status.is_some()) {
                break;
            }
            let moves = iterates.evaluate(&rule).await?;
            control.report(|| iterates.progress())?;
            let steps = self.steps(&iterates, &moves, &mut jacobian).await?;
            iterates.advance(&moves, &steps)?;
        }
        let best = Tensor::from_slice(&map.device, &map.shape, &iterates.best[0])?;
        measure(map, &rule, best, iterates.courses).await
    }

    /// The steps of the items that go on, 0 for others: solutions of (J - I) s = x - f(x).
    async fn steps(
        &self,
        iterates: &Iterates<'_>,
        moves: &[Move],
        jacobian: &mut Option<Linearization>,
    ) -> Result<Vec<f32>> {
        let mut right: Vec<f32> = iterates.residual.iter().map(|element| -element).collect();
        let goes_on = |item: usize| matches!(moves[item], Move::On(_));
        (0..moves.len()).filter(|item| !goes_on(*item)).for_each(|item| iterates.part(&mut right, item).fill(0.0));
        if !(0..moves.len()).any(goes_on) {
            return Ok(right);
        }
        let (map, x) = (iterates.map, &iterates.tensors[0]);
        let at: Vec<_> = map.closed.fixed().chain([(&map.input, x)]).collect();
        match jacobian {
            Some(jacobian) => jacobian.move_to_async(&at.iter().map(|(_, tensor)| *tensor).collect::<Vec<_>>()).await?,
            None => *jacobian = Some(map.gap.tape().linearize_async(&map.gap, &map.input, &at).await?),
        }
        let Some(jacobian) = jacobian else { return Ok(right) };
        let [batch, item @ ..] = &map.shape[..] else { return Ok(right) };
        let right = Tensor::from_slice(&map.device, &[&[*batch, 1], item].concat(), &right)?;
        let solutions = self.solver.solve_system_async(System::new(jacobian, &right), Control::new()).await?;
        solutions.x.read_async(&map.device).await
    }
}

/// The iterates of a batch, on the host.
struct Iterates<'a> {
    map: &'a FixedPoint,
    length: usize,
    x: Vec<f32>,
    residual: Vec<f32>,
    /// The best iterate of each item and its residual.
    best: [Vec<f32>; 2],
    /// x, f(x) and f(x) - x on the device.
    tensors: [Tensor; 3],
    courses: Vec<Course>,
}

impl<'a> Iterates<'a> {
    async fn new(map: &'a FixedPoint, start: &Tensor) -> Result<Self> {
        let rows = map.rows();
        let x = start.read_async(&map.device).await?;
        let tensor = || Tensor::zeros(&map.device, &map.shape);
        Ok(Self {
            map,
            length: rows.length,
            residual: vec![0.0; x.len()],
            best: [x.clone(), vec![0.0; x.len()]],
            x,
            tensors: [tensor()?, tensor()?, tensor()?],
            courses: vec![Course::new(0); rows.vectors],
        })
    }

    fn part<'b>(&self, all: &'b mut [f32], item: usize) -> &'b mut [f32] {
        &mut all[item * self.length..(item + 1) * self.length]
    }

    /// Evaluates f, and judges each item.
    async fn evaluate(&mut self, rule: &Rule) -> Result<Vec<Move>> {
        let device = &self.map.device;
        let [x, image, residual] = &self.tensors;
        x.buffer().write(device, OPERATION, 0, &self.x)?;
        self.map.program().run_into_async(&[x], &[image, residual]).await?;
        let image = image.read_async(device).await?;
        self.residual = residual.read_async(device).await?;
        let mut moves = Vec::with_capacity(self.courses.len());
        for (item, course) in self.courses.iter_mut().enumerate() {
            if course.status.is_some() {
                moves.push(Move::Stay);
                continue;
            }
            let range = item * self.length..(item + 1) * self.length;
            let norm = |all: &[f32]| norm_of(&all[range.clone()].iter().copied().map(f64::from).collect::<Vec<f64>>());
            let seen = Seen { residual: norm(&self.residual), size: norm(&image), products: None };
            moves.push(course.judge(&seen, rule));
            if course.is_best() {
                let [best_x, best_residual] = &mut self.best;
                best_x[range.clone()].copy_from_slice(&self.x[range.clone()]);
                best_residual[range.clone()].copy_from_slice(&self.residual[range]);
            }
        }
        Ok(moves)
    }

    /// Takes the steps, or goes back to the best iterate and takes a plain step there.
    fn advance(&mut self, moves: &[Move], steps: &[f32]) -> Result<()> {
        for (item, step) in moves.iter().enumerate() {
            let range = item * self.length..(item + 1) * self.length;
            let add = |from: &[f32], step: &[f32]| from.iter().zip(step).map(|(x, s)| x + s).collect::<Vec<f32>>();
            let next = match step {
                Move::Stay => continue,
                Move::Back => add(&self.best[0][range.clone()], &self.best[1][range.clone()]),
                Move::On(_) => {
                    self.courses[item].leap();
                    add(&self.x[range.clone()], &steps[range.clone()])
                }
            };
            self.x[range].copy_from_slice(&next);
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        let done = self.courses.iter().filter(|course| course.status.is_some()).count();
        let iterations = self.courses.iter().map(|course| course.history.len()).max().unwrap_or(0);
        Progress { iterations, ..Progress::new("Newton", "evaluations", done, self.courses.len()) }
    }
}
