//! The step of the host that solves z = f(θ, z).

use std::sync::{Arc, PoisonError};

use futures::future::LocalBoxFuture;
use futures::lock::Mutex;

use super::problem::{NAME, Problem, Recorded};
use crate::device::HostStep;
use crate::iterate::Control;
use crate::solve::fixed_point::{FixedPoint, Solution, Status};
use crate::tape::Value;
use crate::tensor::Tensor;
use crate::{Error, Result};

pub(super) struct Search {
    problem: Arc<Problem>,
    /// The start, then the parameters.
    inputs: Vec<Tensor>,
    output: Tensor,
    made: Mutex<Option<(FixedPoint, Vec<Value>)>>,
}

impl Search {
    pub(super) fn new(problem: Arc<Problem>, inputs: Vec<Tensor>, output: Tensor) -> Self {
        Self { problem, inputs, output, made: Mutex::default() }
    }

    /// The map with the parameters as they are now, and its values of the parameters; made once.
    async fn map(&self) -> Result<(FixedPoint, Vec<Value>)> {
        let shapes: Vec<&[usize]> = self.inputs.iter().map(Tensor::shape).collect();
        let Recorded { parameters, z, image, .. } = self.problem.recorded(&shapes)?;
        let map = FixedPoint::of_async(&z, &image, &self.bound(&parameters)).await?;
        Ok((map, parameters))
    }

    fn bound<'a>(&'a self, parameters: &'a [Value]) -> Vec<(&'a Value, &'a Tensor)> {
        parameters.iter().zip(&self.inputs[1..]).collect()
    }

    /// Notes the items, and refuses those that did not converge.
    fn judge(&self, solution: &Solution) -> Result<()> {
        *self.problem.items.lock().unwrap_or_else(PoisonError::into_inner) = solution.items.clone();
        let failed = solution.items.iter().enumerate().find(|(_, found)| found.status != Status::Converged);
        let Some((item, found)) = failed else { return Ok(()) };
        let reason = format!(
            "{} after {} evaluations by {}, residual {:.1e}: allow more evaluations or a larger tolerance, or take \
             another solver",
            found.status,
            found.evaluations,
            self.problem.forward.name(),
            found.residual
        );
        Err(Error::NotConverged { operation: NAME, item, reason })
    }
}

impl HostStep for Search {
    fn name(&self) -> &'static str {
        NAME
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            if self.output.is_empty() {
                return Ok(());
            }
            let mut made = self.made.lock().await;
            let (map, _) = match &mut *made {
                Some((map, parameters)) => {
                    map.rebind_async(&self.bound(parameters)).await?;
                    (&*map, parameters)
                }
                none => {
                    let (map, parameters) = none.insert(self.map().await?);
                    (&*map, parameters)
                }
            };
            let solution = self.problem.forward.solve_map(map, &self.inputs[0], Control::new()).await?;
            self.judge(&solution)?;
            let mut recorder = self.problem.device.recorder();
            recorder.copy(solution.x.buffer(), self.output.buffer())?;
            recorder.submit_async().await
        })
    }
}
