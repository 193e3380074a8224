//! Fixed points as values of a tape, with derivatives of any order by the implicit function theorem.
//!
//! [`operation`] is z of z = f(θ, z), which a step of the host ([`search`]) solves. Its derivative (I - J)⁻¹ J_θ dθ is
//! the solution of a linear system, which [`backward`] solves by any linear solver. [`newton`] is the reference
//! implementation.

mod backward;
mod newton;
mod operation;
mod problem;
mod search;

use std::sync::{Arc, Mutex, PoisonError};

use backward::Backward;
use operation::FixedPointOf;
use problem::Problem;

use super::fixed_point::{Anderson, FixedPointSolver, Item};
use super::{Gmres, LinearSolver, Solution};
use crate::Result;
use crate::tape::Value;
use crate::tensor::volume;

/// The solvers of fixed points on a tape: one for z = f(θ, z), and one for the linear systems of the derivatives.
///
/// ```
/// use opnorm::solve::Implicit;
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// let x = tape.input(&[1])?;
/// let implicit = Implicit::default();
/// let z = implicit.fixed_point(|x, z| z.scale(0.5)?.add(&x[0]), &[&x], &tape.fill(&[1], 0.0)?)?; // z = 2 x
/// let slope = tape.grad(&z.square()?.sum(&[0])?, &[&x])?; // 2 z · 2
/// let program = tape.compile(&[&x], &[&z, &slope[0]])?;
/// let found = program.run(&[Tensor::from_slice(&device, &[1], &[3.0])?])?;
/// assert!((found[0].read(&device)?[0] - 6.0).abs() < 1e-4);
/// assert!((found[1].read(&device)?[0] - 24.0).abs() < 1e-3);
/// assert!(implicit.last_forward()[0].residual < 1e-5);
/// assert_eq!(implicit.last_backward().len(), 1);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// Clones share what they last did.
#[derive(Clone, Debug)]
pub struct Implicit {
    forward: Arc<dyn FixedPointSolver>,
    backward: Backward,
    items: Arc<Mutex<Vec<Item>>>,
}

impl Default for Implicit {
    /// [`Anderson`], and [`Gmres`] with a tolerance of 1e-5, because a derivative's system has rounded coefficients.
    fn default() -> Self {
        Self::new(Anderson::default(), Gmres { relative: 1e-5, ..Gmres::default() })
    }
}

impl Implicit {
    /// A solver for the fixed points, and one for the systems of their derivatives, which have no symmetry in general.
    pub fn new(forward: impl FixedPointSolver + 'static, backward: impl LinearSolver + Send + Sync + 'static) -> Self {
        Self { forward: Arc::new(forward), backward: Backward::new(backward), items: Arc::default() }
    }

    /// The fixed point z = f(θ, z) that the solver finds from `start`, where `function` records f(θ, z) from θ and z.
    ///
    /// A run compiles f once and solves; the tape holds nothing of the iteration. With J = ∂f/∂z at z,
    /// ```text
    /// dz = (I - J)⁻¹ ∂f/∂θ dθ        w = (I - J)^-T g,  the cotangent of θ is (∂f/∂θ)ᵀ w
    /// ```
    /// are one more system each, for derivatives of any order. The derivative along `start` is 0. The function may be
    /// recorded several times, on this tape and on others, and reads no values but those it is given.
    ///
    /// *Shapes*  `start`, result, f: batch × any, where f maps each item by itself; a single axis, or none, is one item
    /// · `parameters`: any
    ///
    /// *Source*  Krantz and Parks, *The Implicit Function Theorem*, 2002, chapter 3; Bai, Kolter and Koltun, *Deep
    /// equilibrium models*, 2019, theorem 1.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for a function that changes the shape; the function's own
    /// errors. A run ends with [`Error::NotConverged`](crate::Error::NotConverged) where a solver does not converge.
    pub fn fixed_point(
        &self,
        function: impl Fn(&[Value], &Value) -> Result<Value> + Send + Sync + 'static,
        parameters: &[&Value],
        start: &Value,
    ) -> Result<Value> {
        let own = start.shape().to_vec();
        let held = if own.len() < 2 { vec![1, volume(&own)] } else { own.clone() };
        let problem = Arc::new(Problem {
            function: Box::new(function),
            own,
            forward: Arc::clone(&self.forward),
            backward: self.backward.clone(),
            items: Arc::clone(&self.items),
            device: start.tape().device().clone(),
        });
        let start = start.reshape(&held)?;
        // Refuses here, not in a run.
        problem.image(&parameters.iter().map(|value| (*value).clone()).collect::<Vec<_>>(), &start)?;
        let inputs: Vec<&Value> = [&start].into_iter().chain(parameters.iter().copied()).collect();
        start.tape().compute(Arc::new(FixedPointOf { problem: Arc::clone(&problem) }), &inputs)?.reshape(&problem.own)
    }

    /// The items of the last forward solve: status, residual, evaluations. Empty before the first run.
    pub fn last_forward(&self) -> Vec<Item> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The items of the last linear solve of a derivative: status, residual, iterations. Empty before the first.
    pub fn last_backward(&self) -> Vec<Solution> {
        self.backward.last()
    }
}
