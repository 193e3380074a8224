//! Banach's iteration.

use futures::future::LocalBoxFuture;

use super::finish::solve;
use super::map::FixedPoint;
use super::rule::Rule;
use super::solution::Solution;
use super::solver::FixedPointSolver;
use crate::Result;
use crate::iterate::Control;
use crate::tensor::Tensor;

/// Banach's iteration: x' = x + damping · (f(x) - x).
///
/// Where f contracts with a factor L, so does the residual of each step with damping 1.
///
/// *Source*  Banach, *Sur les opérations dans les ensembles abstraits*, 1922.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Banach {
    /// The factor of the residual in a step. Default 1.
    pub damping: f64,
    /// The most evaluations. Default 1000.
    pub limit: usize,
    /// The tolerance of the residual relative to |f(x)|. Default 1e-6.
    pub relative: f64,
    /// The tolerance of the residual that is added. Default 0.
    pub absolute: f64,
}

impl Default for Banach {
    fn default() -> Self {
        Self { damping: 1.0, limit: 1000, relative: 1e-6, absolute: 0.0 }
    }
}

impl Banach {
    /// Solves x = f(x) from `start`, each item by itself.
    ///
    /// *Shapes*  `start`: as the map
    ///
    /// # Errors
    /// As [`Anderson::solve`](super::Anderson::solve).
    pub fn solve(&self, map: &FixedPoint, start: &Tensor) -> Result<Solution> {
        map.device.block_on(self.solve_async(map, start, Control::new()))
    }

    /// [`Banach::solve`] without blocking the thread, with a listener.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Banach::solve`]; the listener's.
    pub async fn solve_async(&self, map: &FixedPoint, start: &Tensor, control: Control<'_>) -> Result<Solution> {
        let Self { damping: mixing, limit, relative, absolute } = *self;
        let rule = Rule { method: "Banach", differences: 0, regularisation: 0.0, mixing, limit, relative, absolute };
        rule.check("damping")?;
        solve(map, rule, start, control).await
    }
}

impl FixedPointSolver for Banach {
    fn name(&self) -> &'static str {
        "Banach"
    }

    fn solve_map<'a>(
        &'a self,
        map: &'a FixedPoint,
        start: &'a Tensor,
        control: Control<'a>,
    ) -> LocalBoxFuture<'a, Result<Solution>> {
        Box::pin(self.solve_async(map, start, control))
    }
}
