//! σ = uᵀ A v for singular vectors u and v of A, which do not move σ to first order.

use crate::device::{Buffer, Recorder};
use crate::ops::{self, Side, Sizes};
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::{Tensor, volume};
use crate::{Result, reference};

/// From matrices (items × rows × cols) and vectors (items × count × rows, items × count × cols): items × count.
#[derive(Debug)]
pub(super) struct SingularValues;

impl Operation for SingularValues {
    fn name(&self) -> &'static str {
        "singular values"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(inputs[1][..2].to_vec())
    }

    /// uᵀ dA v: u and v move σ to second order only, because both keep the length 1.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let [_, left, right] = &primal.inputs[..] else { return Ok(None) };
        let along = |tangent: &Value| right.matmul_nt(tangent)?.multiply(left)?.sum(&[2]);
        tangents[0].as_ref().map(along).transpose()
    }

    /// A v.
    fn scratch(&self, inputs: &[&[usize]]) -> usize {
        volume(inputs[1])
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        inputs: &[&Tensor],
        scratch: &Buffer<f32>,
        output: &Tensor,
    ) -> Result<()> {
        let [matrix, left, right] = inputs else { return Ok(()) };
        let &[items, count, rows] = left.shape() else { return Ok(()) };
        let cols = right.shape()[2];
        let images = scratch.slice(0..items * count * rows);
        let side = |buffer, transposed| Side { buffer, transposed };
        ops::matmul(
            recorder,
            Sizes { batch: items, rows: count, inner: cols, cols: rows },
            side(right.buffer(), false),
            side(matrix.buffer(), true),
            None, // the scratch memory is written already
            &images,
        )?;
        // An inner product is a product of a row and a column.
        ops::matmul(
            recorder,
            Sizes { batch: items * count, rows: 1, inner: rows, cols: 1 },
            side(left.buffer(), false),
            side(&images, false),
            None,
            output.buffer(),
        )
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        let [matrix, left, right] = inputs else { return Vec::new() };
        if shape.contains(&0) {
            return Vec::new();
        }
        let (count, rows, cols) = (shape[1], left.shape[2], right.shape[2]);
        let value = |index: usize| -> f64 {
            let item = &matrix.data[index / count * rows * cols..][..rows * cols];
            let (u, v) = (&left.data[index * rows..][..rows], &right.data[index * cols..][..cols]);
            let image = reference::matmul((rows, cols, 1), (item, false), (v, false));
            reference::dot(&image, u)
        };
        (0..shape[0] * count).map(value).collect()
    }
}
