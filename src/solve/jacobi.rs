//! Jacobi's preconditioner.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::device::{Buffer, Device, Recorder};
use crate::operator::{LinearOperator, width};
use crate::ops::{self, Binary};
use crate::tensor::{Matrix, Tensor};
use crate::{Error, Result};

/// The inverse of the diagonal of square matrices; 1 in place of a diagonal entry that is 0.
///
/// The inverse is scaled by a power of two for each batch item, which no method depends on.
#[derive(Clone, Debug)]
pub struct Jacobi {
    device: Device,
    batch: usize,
    side: usize,
    /// The inverse diagonals, batch × side.
    inverses: Vec<f32>,
    /// The inverse diagonals on the device, once for each of a number of vectors.
    uploaded: Arc<Mutex<BTreeMap<usize, Buffer<f32>>>>,
}

impl Jacobi {
    /// The preconditioner of each item of a matrix.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a matrix that is not square; any error of the device.
    pub fn new(matrix: &Matrix) -> Result<Self> {
        let (batch, side) = (matrix.batch(), matrix.rows());
        if matrix.cols() != side {
            return Err(Error::ShapeMismatch {
                operation: "Jacobi",
                expected: "a square matrix".to_owned(),
                found: format!("{side} x {}", matrix.cols()),
            });
        }
        let device = Matrix::device(matrix);
        let items: Vec<usize> = (0..batch).collect();
        let mut inverses = vec![1.0; batch * side];
        let mut rows = vec![0; batch];
        device.block_on(matrix.visit_items(&items, |item, entries| {
            let row = rows[item];
            rows[item] += 1;
            let diagonal = entries[row];
            if diagonal != 0.0 && diagonal.is_finite() {
                inverses[item * side + row] = diagonal.recip();
            }
        }))?;
        Ok(Self { device: device.clone(), batch, side, inverses, uploaded: Arc::default() })
    }

    /// The inverse diagonal of each item, once for each of its vectors.
    fn factors(&self, width: usize) -> Result<Buffer<f32>> {
        let mut uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buffer) = uploaded.get(&width) {
            return Ok(buffer.clone());
        }
        let factors: Vec<f32> = self.inverses.chunks(self.side.max(1)).flat_map(|row| row.repeat(width)).collect();
        let buffer = Buffer::from_slice(&self.device, "Jacobi", &factors)?;
        uploaded.insert(width, buffer.clone());
        Ok(buffer)
    }
}

impl LinearOperator for Jacobi {
    fn device(&self) -> &Device {
        &self.device
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn domain(&self) -> Vec<usize> {
        vec![self.side]
    }

    fn codomain(&self) -> Vec<usize> {
        vec![self.side]
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        let width = width("Jacobi", self.batch, &[self.side], input)?;
        ops::binary(recorder, Binary::MULTIPLY, input.buffer(), &self.factors(width)?, output.buffer())
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.apply(recorder, input, output)
    }
}
