//! The operation of a fixed point, and its derivative.

use std::sync::Arc;

use super::newton::newton;
use super::problem::{NAME, Problem};
use super::search::Search;
use crate::Result;
use crate::device::{Buffer, Recorder};
use crate::solve::matrix_free;
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::{Tensor, volume};

/// z of z = f(θ, z).
///
/// *Shapes*  start, result: batch × domain · parameters: any
#[derive(Clone, Debug)]
pub(super) struct FixedPointOf {
    pub(super) problem: Arc<Problem>,
}

impl Operation for FixedPointOf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(inputs[0].to_vec())
    }

    /// dz = (I - J)⁻¹ ∂f/∂θ dθ, with z held: the parameters move under names of their own, which z does not depend on.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let (z, tape) = (&primal.output, primal.output.tape());
        let names: Vec<Value> =
            primal.inputs[1..].iter().map(|value| value.reshape(value.shape())).collect::<Result<_>>()?;
        let (moving, along): (Vec<&Value>, Vec<&Value>) =
            names.iter().zip(&tangents[1..]).filter_map(|(name, tangent)| Some((name, tangent.as_ref()?))).unzip();
        if moving.is_empty() {
            return Ok(None);
        }
        let pushed = tape.jvp(&[self.problem.image(&names, z)?], &moving, &along)?.remove(0);
        let problem = Arc::clone(&self.problem);
        let system = move |given: &[Value], v: &Value| {
            let (z, parameters) = (&given[0], &given[1..]);
            v.subtract(&v.tape().jvp(&[problem.image(parameters, z)?], &[z], &[v])?.remove(0))
        };
        let given: Vec<&Value> = [z].into_iter().chain(&primal.inputs[1..]).collect();
        matrix_free(system, &given, &pushed, self.problem.backward.clone()).map(Some)
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], varies: &[bool]) -> bool {
        inputs[0].first().is_some_and(|samples| samples.is_multiple_of(batch)) && !varies[1..].contains(&true)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let inputs = inputs.iter().copied().cloned().collect();
        recorder.host(Arc::new(Search::new(Arc::clone(&self.problem), inputs, output.clone())));
        Ok(())
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        newton(&self.problem, inputs).ok().flatten().unwrap_or_else(|| vec![f64::NAN; volume(shape)])
    }
}
