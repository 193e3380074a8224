//! ln |det A| of matrices whose factors are known.

use std::sync::Arc;

use futures::future::LocalBoxFuture;

use super::factors::{held, parts, read};
use super::solution::Solution;
use crate::device::{Buffer, Device, HostStep, Recorder};
use crate::ops;
use crate::solve::dense::factors::{judged, pivots_len};
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::Tensor;
use crate::{Result, reference};

/// The logarithms of the magnitudes of determinants: items.
///
/// *Shapes*  matrices: items × size × size · their factors
#[derive(Clone, Copy, Debug)]
pub(super) struct LogAbsDeterminant;

impl Operation for LogAbsDeterminant {
    fn name(&self) -> &'static str {
        "log determinant"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(vec![inputs[0][0]])
    }

    /// tr(A⁻¹ dA), the sum of the products of the entries of A⁻ᵀ and dA.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let (matrices, Some(tangent)) = (&primal.inputs[0], &tangents[0]) else { return Ok(None) };
        let (tape, size) = (matrices.tape(), matrices.shape()[2]);
        let identity = tape.constant(&Tensor::identities(tape.device(), &[1, size, size], size)?)?;
        let inputs = [matrices, &primal.inputs[1], &identity.broadcast_to(matrices.shape())?];
        // The solution for the unit vector of a row is a column of A⁻¹.
        let inverse = tape.compute(Arc::new(Solution { transposed: false }), &inputs)?;
        inverse.multiply(tangent)?.sum(&[1, 2]).map(Some)
    }

    fn scratch(&self, inputs: &[&[usize]]) -> usize {
        pivots_len(inputs[0][0], inputs[0][2])
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _: &[bool]) -> bool {
        inputs[0][0].is_multiple_of(batch)
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        inputs: &[&Tensor],
        scratch: &Buffer<f32>,
        output: &Tensor,
    ) -> Result<()> {
        let factors = held(inputs[1]);
        let pivots = scratch.slice(0..pivots_len(factors.batch, factors.size));
        ops::lu_diagonal(recorder, factors, &pivots)?;
        let (device, size) = (recorder.device().clone(), factors.size);
        recorder.host(Arc::new(Logarithms { device, pivots, size, output: output.clone() }));
        Ok(())
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        let size = inputs[0].shape[2];
        let logarithm = |item: usize| {
            let (matrix, ..) = parts(&inputs[1].data[item * (size + 2) * size..][..(size + 2) * size], size);
            reference::lu_diagonal(matrix, size).into_iter().map(|(pivot, _)| pivot.abs().ln()).sum()
        };
        (0..shape[0]).map(logarithm).collect()
    }
}

struct Logarithms {
    device: Device,
    pivots: Buffer<f32>,
    size: usize,
    output: Tensor,
}

impl HostStep for Logarithms {
    fn name(&self) -> &'static str {
        LogAbsDeterminant.name()
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            let judged = judged(&read(&self.device, &self.pivots).await?, self.output.len(), self.size);
            let found: Vec<f32> = judged.into_iter().map(|(_, determinant)| determinant.log_abs as f32).collect();
            self.output.buffer().write(&self.device, self.name(), 0, &found)
        })
    }
}
