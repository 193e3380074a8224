//! Sparse matrices as operators.

mod host;

use std::sync::Arc;

use futures::future::{LocalBoxFuture, ready};

use host::{HostRows, HostSides};

use super::{Claims, Knowledge, LinearOperator, width};
use crate::bound::Ball;
use crate::device::{Device, Recorder};
use crate::ops::{SparseRows, sparse_product};
use crate::tensor::screen::scaling;
use crate::tensor::{Position, SparseEntries, Tensor};
use crate::{Error, Result};

/// A sparse matrix on a device, in compressed rows, with its transpose.
///
/// A product reads the nonzeros alone. Work is balanced over nonzeros and not over rows, so that a row or a column with
/// many nonzeros costs no more than its share. Both directions are the same kernel, on the rows of A and on those of
/// Aᵀ: without atomic operations, and with the same bits on every run.
///
/// The device holds entries as `f32`; entries of `f64` are rounded. A matrix whose largest entry lies outside 2^±40 is
/// held divided by a power of two ([`LinearOperator::exponent`]). A clone shares all memory.
///
/// *Range*  Memory: 32 bytes for each nonzero, half of them on the device
///
/// ```
/// use opnorm::{Device, norm::spectral_norm, operator::SparseMatrix, tensor::SparseEntries};
/// // the Laplacian of a path of 50 vertices
/// let edges = (0..49).flat_map(|v| [(v, v, 1.0), (v, v + 1, -1.0), (v + 1, v, -1.0), (v + 1, v + 1, 1.0)]);
/// let entries = SparseEntries::new(50, 50, edges)?;
/// let norms = spectral_norm(&SparseMatrix::new(&Device::new()?, &entries)?)?;
/// let exact = 4.0 * (49.0 * std::f64::consts::PI / 100.0).sin().powi(2);
/// let found = norms.single()?;
/// assert!((found.sigma / exact - 1.0).abs() < 1e-6 && found.bounds.lower <= exact);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SparseMatrix {
    device: Device,
    forward: SparseRows,
    backward: SparseRows,
    host: Arc<HostSides>,
    exponent: i32,
    knowledge: Knowledge,
    claims: Claims,
}

impl SparseMatrix {
    /// Uploads a sparse matrix.
    ///
    /// # Errors
    /// [`Error::TooLarge`] or [`Error::OutOfMemory`] past the device's limits, [`Error::DeviceLost`].
    pub fn new(device: &Device, entries: &SparseEntries) -> Result<Self> {
        let screen = entries.screen();
        let exponent = screen.exponent();
        let [rows, cols] = [entries.rows(), entries.cols()];
        // The sides come first, because a side may be long where there are few entries.
        expect_vectors(device, rows.max(cols))?;
        let host = HostSides::new(rows_of(entries, exponent), cols);
        let upload =
            |rows: &HostRows, cols| SparseRows::upload(device, cols, &rows.starts, &rows.columns, &rows.values);
        let (forward, backward) = (upload(&host.forward, cols)?, upload(&host.backward, rows)?);
        let is_symmetric = rows == cols && screen.non_finite.is_none() && host.forward == host.backward;
        Ok(Self {
            device: device.clone(),
            forward,
            backward,
            exponent,
            knowledge: match screen.non_finite {
                Some(position) => Knowledge::NonFinite(position),
                None if screen.largest == 0.0 => Knowledge::Zero,
                None => Knowledge::Nothing,
            },
            claims: if is_symmetric { Claims::default().with_symmetry() } else { Claims::default() },
            host: Arc::new(host),
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.forward.rows()
    }

    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.forward.cols()
    }

    /// The number of entries that are stored.
    pub fn nonzeros(&self) -> usize {
        self.forward.nonzeros()
    }

    /// The place of the first entry that is NaN or infinite.
    pub fn non_finite(&self) -> Option<Position> {
        match self.knowledge {
            Knowledge::NonFinite(position) => Some(position),
            _ => None,
        }
    }

    fn product(&self, recorder: &mut Recorder, rows: &SparseRows, (input, output): (&Tensor, &Tensor)) -> Result<()> {
        let vectors = width("sparse product: input", 1, &[rows.cols()], input)?;
        let found = width("sparse product: output", 1, &[rows.rows()], output)?;
        if found != vectors {
            return Err(Error::ShapeMismatch {
                operation: "sparse product",
                expected: format!("an output of {vectors} vectors"),
                found: format!("{found}"),
            });
        }
        sparse_product(recorder, rows, vectors, input.buffer(), output.buffer())
    }
}

/// Refuses a side whose vectors fit no binding, or whose starts of rows do not fit the memory of the host.
fn expect_vectors(device: &Device, side: usize) -> Result<()> {
    let operation = "sparse matrix";
    let (needed, limit) = (4 * (side as u64 + 1), device.capabilities().binding_bytes);
    if needed > limit {
        let what = format!("a vector of {side} elements, in bytes,");
        return Err(Error::TooLarge { operation, what, needed, limit, advice: "cut the matrix into several" });
    }
    let mut starts: Vec<usize> = Vec::new();
    let out = |_| Error::OutOfMemory { operation: operation.to_string(), bytes: 2 * needed };
    starts.try_reserve_exact(side + 1).map_err(out)
}

/// The rows of 2^-exponent times the matrix, rounded to `f32`.
fn rows_of(entries: &SparseEntries, exponent: i32) -> HostRows {
    let mut starts = vec![0usize; entries.rows() + 1];
    entries.iter().for_each(|(row, _, _)| starts[row + 1] += 1);
    (0..entries.rows()).for_each(|row| starts[row + 1] += starts[row]);
    let scaled = scaling(-exponent);
    let values = entries.values().iter().map(|value| scaled(*value) as f32).collect();
    HostRows { starts, columns: entries.iter().map(|(_, col, _)| col as u32).collect(), values }
}

impl LinearOperator for SparseMatrix {
    fn device(&self) -> &Device {
        &self.device
    }

    fn batch(&self) -> usize {
        1
    }

    fn domain(&self) -> Vec<usize> {
        vec![self.cols()]
    }

    fn codomain(&self) -> Vec<usize> {
        vec![self.rows()]
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.product(recorder, &self.forward, (input, output))
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.product(recorder, &self.backward, (input, output))
    }

    fn claims(&self) -> Claims {
        self.claims
    }

    fn exponent(&self, _item: usize) -> i32 {
        self.exponent
    }

    fn knowledge(&self, _item: usize) -> Knowledge {
        self.knowledge
    }

    fn bytes_per_product(&self) -> u64 {
        let (nonzeros, sides) = (self.nonzeros() as u64, (self.rows() + self.cols()) as u64);
        8 * nonzeros + 12 * sides
    }

    fn enclose<'a>(&'a self, _item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(ready(Ok(Some(self.host.ball(false, &input, self.exponent > 0)))))
    }

    fn enclose_adjoint<'a>(&'a self, _item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(ready(Ok(Some(self.host.ball(true, &input, self.exponent > 0)))))
    }
}
