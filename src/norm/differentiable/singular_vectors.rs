//! The singular vectors of the largest singular values, by a solver in a step of the host.

use std::sync::Arc;

use futures::future::LocalBoxFuture;

use super::dense::{Decomposition, SINGLE, canonical, distance, nothing};
use super::refined::{is_small, refined};
use super::resolvent::Resolvent;
use crate::device::{Buffer, Device, HostStep, Recorder};
use crate::norm::{Control, Lanczos, SpectralNorm, Status, Stop, Triplet, Triplets};
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::{Matrix, Tensor};
use crate::{Error, Result};

/// The singular vectors of matrices (items × rows × cols): items × count × (rows + cols + 1).
///
/// For each of the `count` largest singular values the result has u, v and the distance to the nearest other singular
/// value, in units of the largest. A value that does not exist or is zero has zeros. A matrix with an entry that is not
/// finite has NaN.
#[derive(Clone, Debug)]
pub(super) struct SingularVectors {
    solver: Lanczos,
    count: usize,
}

impl SingularVectors {
    pub(super) fn new(solver: &Lanczos, count: usize) -> Self {
        Self { solver: solver.clone(), count }
    }
}

impl Operation for SingularVectors {
    fn name(&self) -> &'static str {
        "singular vectors"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let (items, rows, cols) = (inputs[0][0], inputs[0][1], inputs[0][2]);
        Ok(vec![items, self.count.min(rows.min(cols)), rows + cols + 1])
    }

    /// d[u; v] = S [dA v; dAᵀ u]
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let Some(tangent) = &tangents[0] else { return Ok(None) };
        let (matrix, vectors) = (&primal.inputs[0], &primal.output);
        let pushed = super::resolvent::augmented(tangent, vectors, matrix.shape()[1])?;
        let moved = matrix.tape().compute(Arc::new(Resolvent), &[matrix, vectors, &pushed])?;
        moved.pad(2, 0, 1).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let (device, matrix, output) = (recorder.device().clone(), inputs[0].clone(), output.clone());
        recorder.host(Arc::new(Search { operation: self.clone(), device, matrix, output }));
        Ok(())
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        if shape.contains(&0) {
            return Vec::new();
        }
        let (rows, cols) = (inputs[0].shape[1], inputs[0].shape[2]);
        let item = |item: usize| {
            packed(&inputs[0].data[item * rows * cols..][..rows * cols], (rows, cols), (shape[1], f64::EPSILON))
        };
        (0..shape[0]).flat_map(item).collect()
    }
}

/// The vectors of one item by a dense decomposition.
fn packed(entries: &[f64], (rows, cols): (usize, usize), (count, unit): (usize, f64)) -> Vec<f64> {
    let Some(dense) = Decomposition::of(entries, (rows, cols)) else {
        return vec![f64::NAN; count * (rows + cols + 1)];
    };
    (0..count).flat_map(|rank| dense.packed(rank, unit)).collect()
}

struct Search {
    operation: SingularVectors,
    device: Device,
    matrix: Tensor,
    output: Tensor,
}

impl HostStep for Search {
    fn name(&self) -> &'static str {
        self.operation.name()
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            if self.output.is_empty() {
                return Ok(());
            }
            let found = if self.output.shape()[1] == 1 { self.largest().await? } else { self.several().await? };
            let narrowed: Vec<f32> = found.into_iter().map(|value| value as f32).collect();
            self.output.buffer().write(&self.device, self.operation.name(), 0, &narrowed)
        })
    }
}

impl Search {
    fn sizes(&self) -> (usize, usize, usize) {
        (self.matrix.shape()[0], self.matrix.shape()[1], self.matrix.shape()[2])
    }

    /// The largest triplet by Lanczos on the device. The host takes over where Lanczos cannot tell the largest value
    /// from the next.
    async fn largest(&self) -> Result<Vec<f64>> {
        let (items, rows, cols) = self.sizes();
        let matrix = self.uploaded().await?;
        let norms = self.operation.solver.norm_async(&matrix, Control::default()).await?;
        let lefts = norms.left().read_async(&self.device).await?;
        let rights = norms.right().read_async(&self.device).await?;
        let states: Vec<Vectors> =
            norms.items().iter().enumerate().map(|(item, norm)| self.state(norm, item)).collect::<Result<_>>()?;
        let entries =
            if states.contains(&Vectors::Unsure) { Some(self.matrix.read_async(&self.device).await?) } else { None };
        let mut found = Vec::with_capacity(self.output.len());
        for (item, state) in states.into_iter().enumerate().take(items) {
            let (left, right) = (wide(&lefts[item * rows..][..rows]), wide(&rights[item * cols..][..cols]));
            match state {
                Vectors::None => found.extend(std::iter::repeat_n(f64::NAN, rows + cols + 1)),
                Vectors::Apart(gap) => {
                    let (left, right) = canonical(left, right);
                    found.extend(left.into_iter().chain(right).chain([gap]));
                }
                Vectors::Unsure => {
                    let entries = entries.as_deref().unwrap_or_default();
                    found.extend(self.refined(item, entries, &[right], 1)?);
                }
            }
        }
        Ok(found)
    }

    /// The accuracy of the vectors of an item.
    fn state(&self, norm: &SpectralNorm, item: usize) -> Result<Vectors> {
        let gap = norm.gap.filter(|_| norm.multiplicity == Some(1)).map(|gap| gap / norm.sigma);
        match norm.status {
            Status::NonFinite => Ok(Vectors::None),
            Status::Zero => Ok(Vectors::Apart(0.0)),
            Status::Stagnated | Status::Refuted => Ok(Vectors::Unsure),
            // Values that are equal in `f32` may differ in `f64`.
            Status::Converged if norm.multiplicity.is_some() && gap.is_none_or(|gap| gap < CLOSE) => {
                Ok(Vectors::Unsure)
            }
            Status::Converged => Ok(Vectors::Apart(gap.unwrap_or(0.0))),
            Status::MaxIterations => {
                let reason = format!(
                    "{} after {} iterations, sigma {:.6e}, residual {:.1e}: allow more iterations or a larger tolerance, \
                     with `spectral_norm_by`",
                    norm.status,
                    norm.iterations,
                    norm.sigma,
                    norm.residual.norm()
                );
                Err(Error::NotConverged { operation: self.operation.name(), item, reason })
            }
        }
    }

    /// The leading triplets of one item in `f64`, from right vectors close to them.
    fn refined(&self, item: usize, entries: &[f32], rights: &[Vec<f64>], count: usize) -> Result<Vec<f64>> {
        let (_, rows, cols) = self.sizes();
        let entries = wide(&entries[item * rows * cols..][..rows * cols]);
        refined(&entries, (rows, cols), rights, count).ok_or_else(|| Error::NotConverged {
            operation: self.operation.name(),
            item,
            reason: "the largest singular values are too close to one another to tell their vectors apart in f64"
                .to_string(),
        })
    }

    /// Several triplets: by Lanczos for a few of a large matrix, else by a dense decomposition in `f64` on the host.
    async fn several(&self) -> Result<Vec<f64>> {
        let (_, rows, cols) = self.sizes();
        let count = self.output.shape()[1];
        if !is_small((rows, cols)) && FEW * (count + 1) <= rows.min(cols) {
            return self.leading(count).await;
        }
        let entries = self.matrix.read_async(&self.device).await?;
        let item = |entries: &[f32]| packed(&wide(entries), (rows, cols), (count, SINGLE));
        Ok(entries.chunks_exact(rows * cols).flat_map(item).collect())
    }

    /// The leading triplets by Lanczos: `count` + 1 of them, because the extra value tells the distance of the last.
    async fn leading(&self, count: usize) -> Result<Vec<f64>> {
        let (items, rows, cols) = self.sizes();
        let matrix = self.uploaded().await?;
        // The residual must be as small as `f32` allows because vectors are off by residual / gap.
        let rtol = self.operation.solver.stop.tolerance().min(SHARP);
        let solver = Lanczos { stop: Stop::Value { rtol }, ..self.operation.solver.clone() };
        let tops = solver.top_async(&matrix, count + 1, Control::default()).await?;
        let is_unsure = |top: &Triplets| top.status == Status::Stagnated || closest(&top.values, rows == cols) < CLOSE;
        let entries = if tops.iter().any(is_unsure) { Some(self.matrix.read_async(&self.device).await?) } else { None };
        let mut found = Vec::with_capacity(items * count * (rows + cols + 1));
        for (item, top) in tops.iter().enumerate() {
            match top.status {
                Status::NonFinite => found.extend(std::iter::repeat_n(f64::NAN, count * (rows + cols + 1))),
                Status::MaxIterations => {
                    let reason = format!("{} after {} iterations", top.status, top.iterations);
                    return Err(Error::NotConverged { operation: self.operation.name(), item, reason });
                }
                _ if is_unsure(top) => {
                    let rights: Vec<_> = top.values.iter().map(|triplet| wide(&triplet.right)).collect();
                    found.extend(self.refined(item, entries.as_deref().unwrap_or_default(), &rights, count)?);
                }
                _ => (0..count).for_each(|rank| found.extend(of_rank(&top.values, rank, (rows, cols)))),
            }
        }
        Ok(found)
    }

    async fn uploaded(&self) -> Result<Matrix> {
        Matrix::from_buffer_async(&self.device, self.matrix.buffer(), self.sizes()).await
    }
}

/// The accuracy of the device's vectors of an item.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Vectors {
    /// There are no vectors.
    None,
    /// The vectors are as accurate as asked for. The number is the distance to the next value in units of the largest,
    /// 0 where unknown.
    Apart(f64),
    /// Rounding in `f32` turns the vectors by more than was asked for.
    Unsure,
}

/// The smallest distance between values that are not zero, the last value left out, in units of the largest.
fn closest(values: &[Triplet], square: bool) -> f64 {
    let sigmas: Vec<f64> = values.iter().map(|triplet| triplet.sigma).collect();
    let largest = sigmas.first().copied().unwrap_or(0.0);
    let there = sigmas.iter().take(sigmas.len().saturating_sub(1)).filter(|sigma| **sigma > CLOSE * largest).count();
    (0..there).map(|rank| distance(&sigmas, rank, square) / largest).fold(f64::INFINITY, f64::min)
}

/// u, v and the distance of one rank; zeros where the singular value is zero to the precision of the entries.
fn of_rank(values: &[Triplet], rank: usize, (rows, cols): (usize, usize)) -> Vec<f64> {
    let sigmas: Vec<f64> = values.iter().map(|triplet| triplet.sigma).collect();
    let least = nothing(SINGLE, (rows, cols)) * sigmas.first().copied().unwrap_or(0.0);
    let Some(triplet) = values.get(rank).filter(|triplet| triplet.sigma > least) else {
        return vec![0.0; rows + cols + 1];
    };
    let (left, right) = canonical(wide(&triplet.left), wide(&triplet.right));
    left.into_iter().chain(right).chain([distance(&sigmas, rank, rows == cols) / sigmas[0]]).collect()
}

fn wide(entries: &[f32]) -> Vec<f64> {
    entries.iter().map(|entry| f64::from(*entry)).collect()
}

/// Lanczos serves at most one in `FEW` of the singular values.
const FEW: usize = 4;

/// The distance to the next value, in units of the largest, from which on `f32` tells vectors apart to 1e-5.
const CLOSE: f64 = 1e-2;

/// The tolerance of residuals, in units of the largest value, that products in `f32` reach.
const SHARP: f64 = 1e-6;
