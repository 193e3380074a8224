//! The LU factors of matrices.

use std::sync::Arc;

use futures::future::LocalBoxFuture;

use crate::device::{Buffer, Device, HostStep, Recorder};
use crate::ops::Factors;
use crate::solve::dense::factors::{self, LuStatus, judged, pivots_len};
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::Tensor;
use crate::{Error, Result, reference};

/// The factors of matrices (items × size × size): items × (size + 2) × size, as the kernels hold them.
#[derive(Clone, Copy, Debug)]
pub(super) struct FactorsOf;

/// The factors among the inputs of an operation.
pub(super) fn held(factors: &Tensor) -> Factors<'_> {
    Factors { buffer: factors.buffer(), batch: factors.shape()[0], size: factors.shape()[2] }
}

/// Matrix, pivots and permutation of an item on the host.
pub(super) fn parts(factors: &[f64], size: usize) -> (&[f64], &[f64], Vec<usize>) {
    let (matrix, order) = factors.split_at(size * size);
    let (pivots, permutation) = order.split_at(size);
    (matrix, pivots, permutation.iter().map(|row| *row as usize).collect())
}

impl Operation for FactorsOf {
    fn name(&self) -> &'static str {
        "linear solve"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(factors::shape(inputs[0][0], inputs[0][2]).to_vec())
    }

    fn jvp(&self, _: &Primal, _: &[Option<Value>]) -> Result<Option<Value>> {
        Ok(None)
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
        let factors = held(output);
        let pivots = scratch.slice(0..pivots_len(factors.batch, factors.size));
        factors::factor(recorder, inputs[0].buffer(), factors, &pivots)?;
        let (device, sizes) = (recorder.device().clone(), (factors.batch, factors.size));
        recorder.host(Arc::new(Judgement { device, pivots, sizes }));
        Ok(())
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        let size = shape[2];
        let factored = |item: usize| {
            let mut matrix = inputs[0].data[item * size * size..][..size * size].to_vec();
            let pivots = reference::lu_panel(&mut matrix, size, (0, size));
            let mut rows: Vec<usize> = (0..size).collect();
            pivots.iter().enumerate().for_each(|(step, row)| rows.swap(step, *row));
            matrix.into_iter().chain(pivots.into_iter().chain(rows).map(|row| row as f64))
        };
        (0..shape[0]).flat_map(factored).collect()
    }
}

/// The refusal of singular matrices.
struct Judgement {
    device: Device,
    pivots: Buffer<f32>,
    sizes: (usize, usize),
}

impl HostStep for Judgement {
    fn name(&self) -> &'static str {
        FactorsOf.name()
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            let pivots = read(&self.device, &self.pivots).await?;
            for (item, (status, _)) in judged(&pivots, self.sizes.0, self.sizes.1).into_iter().enumerate() {
                if let LuStatus::Singular { column } = status {
                    let reason = format!("the matrix is singular: column {column} is a combination of those before");
                    return Err(Error::NotConverged { operation: self.name(), item, reason });
                }
            }
            Ok(())
        })
    }
}

/// The contents of memory within a step of the host.
pub(super) async fn read(device: &Device, buffer: &Buffer<f32>) -> Result<Vec<f32>> {
    let mut recorder = device.recorder();
    let read = recorder.read(buffer)?;
    recorder.submit()?;
    read.contents().await
}
