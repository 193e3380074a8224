//! Anderson's acceleration.

use futures::future::LocalBoxFuture;

use super::finish::solve;
use super::map::FixedPoint;
use super::rule::Rule;
use super::solution::Solution;
use super::solver::FixedPointSolver;
use crate::iterate::Control;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Anderson's acceleration: a step from the combination of the last iterates whose residual is smallest.
///
/// With the residual g = f(x) - x, and the last differences of x and g as columns of X and G:
/// ```text
/// γ = argmin |g - G γ|,   x' = x + mixing · g - (X + mixing · G) γ
/// ```
/// The device makes the products of differences, and the host solves the small system in `f64`. Each difference counts
/// by its direction alone, so that the regularisation is relative. Every item has its own system and its own end. A
/// step to a residual above twice the smallest, or to NaN, is taken back: a plain step from the best iterate follows.
/// Old differences are left out while the condition number of the small system is above 10^8.
///
/// *Source*  Anderson, *Iterative procedures for nonlinear integral equations*, 1965; Walker and Ni, *Anderson
/// acceleration for fixed-point iterations*, 2011, equation 2.2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anderson {
    /// The number of iterates of a combination, from 1 to 33; 1 is Banach's iteration. Default 5.
    pub memory: usize,
    /// The number added to the diagonal of the system, whose diagonal is 1. Default 1e-10.
    pub regularisation: f64,
    /// The factor of the residual in a step. Default 1.
    pub mixing: f64,
    /// The most evaluations. Default 1000.
    pub limit: usize,
    /// The tolerance of the residual relative to |f(x)|. Default 1e-6.
    pub relative: f64,
    /// The tolerance of the residual that is added. Default 0.
    pub absolute: f64,
}

impl Default for Anderson {
    fn default() -> Self {
        Self { memory: 5, regularisation: 1e-10, mixing: 1.0, limit: 1000, relative: 1e-6, absolute: 0.0 }
    }
}

impl Anderson {
    /// Solves x = f(x) from `start`, each item by itself.
    ///
    /// *Shapes*  `start`: as the map
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a start of another shape; [`Error::InvalidOption`] for options that mean nothing;
    /// errors of the device. Not converged is a status.
    pub fn solve(&self, map: &FixedPoint, start: &Tensor) -> Result<Solution> {
        map.device.block_on(self.solve_async(map, start, Control::new()))
    }

    /// [`Anderson::solve`] without blocking the thread, with a listener.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Anderson::solve`]; the listener's.
    pub async fn solve_async(&self, map: &FixedPoint, start: &Tensor, control: Control<'_>) -> Result<Solution> {
        if !(1..=33).contains(&self.memory) {
            return Err(Error::InvalidOption {
                operation: "Anderson",
                option: "memory",
                value: self.memory.to_string(),
                allowed: "from 1 to 33",
            });
        }
        let Self { regularisation, mixing, limit, relative, absolute, .. } = *self;
        let differences = self.memory - 1;
        let rule = Rule { method: "Anderson", differences, regularisation, mixing, limit, relative, absolute };
        rule.check("mixing")?;
        solve(map, rule, start, control).await
    }
}

impl FixedPointSolver for Anderson {
    fn name(&self) -> &'static str {
        "Anderson"
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
