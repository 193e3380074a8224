//! The singular vectors of the largest singular values, by a solver that the host looks on at.

use std::pin::Pin;
use std::sync::Arc;

use super::dense::{Decomposition, canonical, distance, nothing};
use super::resolvent::Resolvent;
use crate::gpu::Gpu;
use crate::norm::{Control, Lanczos, SpectralNorms, Status};
use crate::tape::{Array, Operation, Primal, Solver, Value};
use crate::tensor::{Matrix, Tensor};
use crate::{Error, Result};

/// From matrices (items × rows × cols): items × count × (rows + cols + 1), for each of the `count` largest singular values u, v
/// and the distance to the nearest other singular value, in units of the largest. Zeros where there is no such value, or it is
/// zero; NaN where an entry is not finite.
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

    fn needs_host(&self) -> bool {
        true
    }

    fn solver(&self, gpu: &Gpu, inputs: &[Tensor], output: &Tensor) -> Result<Box<dyn Solver>> {
        let (gpu, matrix, output) = (gpu.clone(), inputs[0].clone(), output.clone());
        Ok(Box::new(Search { operation: self.clone(), gpu, matrix, output }))
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
    gpu: Gpu,
    matrix: Tensor,
    output: Tensor,
}

impl Solver for Search {
    fn name(&self) -> &'static str {
        self.operation.name()
    }

    fn solve(&self) -> Pin<Box<dyn Future<Output = Result<()>> + '_>> {
        Box::pin(async {
            if self.output.is_empty() {
                return Ok(());
            }
            let found = if self.output.shape()[1] == 1 { self.largest().await? } else { self.several().await? };
            let narrowed: Vec<f32> = found.into_iter().map(|value| value as f32).collect();
            self.output.buffer().write(&self.gpu, self.operation.name(), 0, &narrowed)
        })
    }
}

impl Search {
    fn sizes(&self) -> (usize, usize, usize) {
        (self.matrix.shape()[0], self.matrix.shape()[1], self.matrix.shape()[2])
    }

    /// By Lanczos on the device.
    async fn largest(&self) -> Result<Vec<f64>> {
        let (items, rows, cols) = self.sizes();
        let matrix = self.uploaded().await?;
        let norms = self.operation.solver.norm_async(&matrix, Control::default()).await?;
        let lefts = norms.left().read_async(&self.gpu).await?;
        let rights = norms.right().read_async(&self.gpu).await?;
        let mut found = Vec::with_capacity(self.output.len());
        for item in 0..items {
            let wide = |vectors: &[f32], size: usize| -> Vec<f64> {
                vectors[item * size..][..size].iter().map(|value| f64::from(*value)).collect()
            };
            let gap = self.relative_gap(&norms, item)?;
            let size = rows + cols;
            match gap {
                Some(gap) => {
                    let (left, right) = canonical(wide(&lefts, rows), wide(&rights, cols));
                    found.extend(left.into_iter().chain(right).chain([gap]));
                }
                None => found.extend(std::iter::repeat_n(f64::NAN, size + 1)),
            }
        }
        Ok(found)
    }

    /// The distance of the largest singular value to the next, relative; `None` where there are no vectors.
    fn relative_gap(&self, norms: &SpectralNorms, item: usize) -> Result<Option<f64>> {
        let norm = &norms.items()[item];
        // Vectors with a residual that `f32` cannot lower are as good as they get.
        let stuck = |residual: f64| residual > TOLERABLE;
        let problem = match norm.status {
            Status::NonFinite => return Ok(None),
            Status::Zero => return Ok(Some(0.0)),
            Status::Converged => None,
            Status::Stagnated if !stuck(norm.residual.norm() / norm.sigma) => None,
            Status::Stagnated | Status::MaxIterations | Status::Refuted => Some(format!(
                "{} after {} iterations, sigma {:.6e}, residual {:.1e}: allow more iterations or a larger tolerance, with \
                 `spectral_norm_by`",
                norm.status,
                norm.iterations,
                norm.sigma,
                norm.residual.norm()
            )),
        };
        if let Some(reason) = problem {
            return Err(Error::NotConverged { operation: self.operation.name(), item, reason });
        }
        let alone = norm.multiplicity == Some(1);
        Ok(Some(norm.gap.filter(|_| alone).map_or(0.0, |gap| gap / norm.sigma)))
    }

    /// By Lanczos where a few are asked for, else by a dense decomposition on the host, in `f64`.
    async fn several(&self) -> Result<Vec<f64>> {
        let (items, rows, cols) = self.sizes();
        let count = self.output.shape()[1];
        if FEW * (count + 1) <= rows.min(cols) {
            return self.leading(items, rows, cols, count).await;
        }
        let entries = self.matrix.read_async(&self.gpu).await?;
        let wide: Vec<f64> = entries.into_iter().map(f64::from).collect();
        Ok(wide.chunks_exact(rows * cols).flat_map(|item| packed(item, (rows, cols), (count, SINGLE))).collect())
    }

    /// By Lanczos, with one value more than asked for to tell how far the last stands apart.
    async fn leading(&self, items: usize, rows: usize, cols: usize, count: usize) -> Result<Vec<f64>> {
        let matrix = self.uploaded().await?;
        let tops = self.operation.solver.top_async(&matrix, count + 1, Control::default()).await?;
        let mut found = Vec::with_capacity(items * count * (rows + cols + 1));
        for (item, top) in tops.iter().enumerate() {
            match top.status {
                Status::NonFinite => {
                    found.extend(std::iter::repeat_n(f64::NAN, count * (rows + cols + 1)));
                    continue;
                }
                Status::MaxIterations => {
                    let reason = format!("{} after {} iterations", top.status, top.iterations);
                    return Err(Error::NotConverged { operation: self.operation.name(), item, reason });
                }
                Status::Converged | Status::Stagnated | Status::Refuted | Status::Zero => (),
            }
            let values: Vec<f64> = top.values.iter().map(|triplet| triplet.sigma).collect();
            for rank in 0..count {
                let is_there = |sigma: f64| sigma > nothing(SINGLE, (rows, cols)) * values[0];
                let Some(triplet) = top.values.get(rank).filter(|triplet| is_there(triplet.sigma)) else {
                    found.extend(std::iter::repeat_n(0.0, rows + cols + 1));
                    continue;
                };
                let wide = |vector: &[f32]| vector.iter().map(|entry| f64::from(*entry)).collect();
                let (left, right) = canonical(wide(&triplet.left), wide(&triplet.right));
                found.extend(left.into_iter().chain(right).chain([distance(&values, rank, rows == cols) / values[0]]));
            }
        }
        Ok(found)
    }

    async fn uploaded(&self) -> Result<Matrix> {
        let (buffer, offset) = self.matrix.as_wgpu();
        Matrix::from_wgpu_async(&self.gpu, buffer.clone(), offset, self.sizes()).await
    }
}

/// The roundings of the entries that the device holds.
const SINGLE: f64 = f32::EPSILON as f64;

/// Lanczos is asked for a share of all singular values of at most one in so many.
const FEW: usize = 4;

/// The residual, relative, of vectors that are good enough for a value: its error is about the square.
const TOLERABLE: f64 = 1e-3;
