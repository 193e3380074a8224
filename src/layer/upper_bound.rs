//! Upper bounds on norms as values of a tape.

use std::sync::Arc;

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::bound::{Bounds, up};
use crate::certify::Certifier;
use crate::device::{Buffer, Device, HostStep, Recorder};
use crate::iterate::Control;
use crate::norm::{Lanczos, Stop};
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::{Matrix, Tensor};

/// The kind of an upper bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// But for a share of start vectors.
    Probable { delta: f64 },
    /// Proven.
    Certified,
}

/// A number that a matrix can be divided by, so that its norm is at most 1 with all roundings: 1 × 1.
///
/// The derivative is zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct UpperBound {
    goal: Goal,
}

impl UpperBound {
    pub(super) fn of(matrix: &Value, goal: Goal) -> Result<Value> {
        matrix.tape().compute(Arc::new(Self { goal }), &[&matrix.stop_gradient()?])
    }
}

impl Operation for UpperBound {
    fn name(&self) -> &'static str {
        "upper bound of a norm"
    }

    fn shape(&self, _: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(vec![1, 1])
    }

    fn jvp(&self, _: &Primal, _: &[Option<Value>]) -> Result<Option<Value>> {
        Ok(None)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let (device, matrix, output) = (recorder.device().clone(), inputs[0].clone(), output.clone());
        recorder.host(Arc::new(Search { goal: self.goal, device, matrix, output }));
        Ok(())
    }

    fn evaluate(&self, inputs: &[Array], _: &[usize]) -> Vec<f64> {
        let (rows, cols) = (inputs[0].shape[0], inputs[0].shape[1]);
        let matrix = faer::Mat::from_fn(rows, cols, |row, col| inputs[0].data[row * cols + col]);
        let values = matrix.singular_values().unwrap_or_default();
        vec![values.first().map_or(0.0, |largest| largest * with_rounding(rows, cols))]
    }
}

/// A factor that covers the roundings of W / bound: a quotient is off by at most 4 units of 2^-23 of each entry, a sum
/// of sigma and what is missing to the bound by as many. Entries change the norm by at most the Frobenius norm of the
/// change, and the Frobenius norm is at most √side times the norm.
fn with_rounding(rows: usize, cols: usize) -> f64 {
    1.0 + 8.0 * f64::from(f32::EPSILON) * (1.0 + (rows.min(cols) as f64).sqrt())
}

struct Search {
    goal: Goal,
    device: Device,
    matrix: Tensor,
    output: Tensor,
}

impl HostStep for Search {
    fn name(&self) -> &'static str {
        "upper bound of a norm"
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            let (rows, cols) = (self.matrix.shape()[0], self.matrix.shape()[1]);
            let entries = self.matrix.read_async(&self.device).await?;
            let upper = match entries.iter().all(|entry| entry.is_finite()) {
                true => self.bounds(&Matrix::from_slice(&self.device, rows, cols, &entries)?).await?.upper,
                false => f64::NAN,
            };
            let widened = up(upper * with_rounding(rows, cols)) as f32;
            let above = if upper == 0.0 { 0.0 } else { widened.next_up() };
            self.output.buffer().write(&self.device, self.name(), 0, &[above])
        })
    }
}

impl Search {
    async fn bounds(&self, matrix: &Matrix) -> Result<Bounds> {
        let found = match self.goal {
            Goal::Probable { delta } => {
                let lanczos = Lanczos { stop: Stop::Bound { rtol: 1e-4, delta }, ..Lanczos::default() };
                let norms = lanczos.norm_async(matrix, Control::default()).await?;
                norms.items().first().map(|norm| norm.bounds)
            }
            Goal::Certified => {
                let certificates = Certifier::default().certify_async(matrix, Control::default()).await?;
                certificates.first().map(|certificate| certificate.bounds)
            }
        };
        Ok(found.unwrap_or(Bounds::NONE))
    }
}
