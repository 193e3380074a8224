//! LU factors of a batch of dense matrices.

use crate::device::{Buffer, Device};
use crate::ops::Factors;
use crate::solve::dense::factors::{self, Determinant, LuStatus};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The factors P A = L U of each matrix of a batch, with partial pivoting, and the solutions of systems with them.
///
/// Solutions have the backward error of `f32`: (A + E) x = b with |E| of a few n · 2^-24 |L| |U|. [`Lu::refined`] makes
/// the error of x smaller where the condition allows.
///
/// ```
/// use opnorm::{Device, solve::{Lu, LuStatus}, tensor::Tensor};
/// let device = Device::new()?;
/// let matrices = Tensor::from_slice(&device, &[2, 2, 2], &[0.0, 2.0, 4.0, 0.0, 1.0, 2.0, 2.0, 4.0])?;
/// let lu = Lu::factor(&device, &matrices)?;
/// assert_eq!(lu.statuses(), [LuStatus::Regular, LuStatus::Singular { column: 1 }]);
/// let b = Tensor::from_slice(&device, &[2, 1, 2], &[2.0, 8.0, 1.0, 1.0])?;
/// assert_eq!(lu.solve(&b)?.read(&device)?[..2], [2.0, 1.0]);
/// assert_eq!((lu.determinants()[0].sign, lu.determinants()[1].sign), (-1.0, 0.0)); // of -8 and 0
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// Source: Golub and Van Loan, *Matrix Computations* (4th edition, 2013), algorithm 3.4.1 and section 3.4.6.
#[derive(Clone, Debug)]
pub struct Lu {
    pub(in crate::solve) device: Device,
    pub(in crate::solve) matrices: Tensor,
    factors: Tensor,
    statuses: Vec<LuStatus>,
    determinants: Vec<Determinant>,
}

impl Lu {
    /// Factors each matrix. A singular matrix is a status of its item, and leaves the others as they are.
    ///
    /// *Shapes*  `matrices`: batch × size × size
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another shape, [`Error::TooLarge`] past the device's limits; the errors of a read.
    pub fn factor(device: &Device, matrices: &Tensor) -> Result<Self> {
        device.block_on(Self::factor_async(device, matrices))
    }

    /// [`Lu::factor`] without blocking the thread.
    ///
    /// # Errors
    /// As [`Lu::factor`].
    pub async fn factor_async(device: &Device, matrices: &Tensor) -> Result<Self> {
        let [batch, size, _] = *matrices.shape() else { return Err(not_square(matrices)) };
        if matrices.shape()[2] != size {
            return Err(not_square(matrices));
        }
        let made = Tensor::zeros(device, &factors::shape(batch, size))?;
        let pivots = Buffer::zeros(device, "pivots", factors::pivots_len(batch, size))?;
        let mut recorder = device.recorder();
        let own = Factors { buffer: made.buffer(), batch, size };
        factors::factor(&mut recorder, matrices.buffer(), own, &pivots)?;
        let read = recorder.read(&pivots)?;
        recorder.submit()?;
        let judged = factors::judged(&read.contents().await?, batch, size);
        let (statuses, determinants) = judged.into_iter().unzip();
        Ok(Self { device: device.clone(), matrices: matrices.clone(), factors: made, statuses, determinants })
    }

    /// The end of each factorisation.
    pub fn statuses(&self) -> &[LuStatus] {
        &self.statuses
    }

    /// ln |det A| and the sign of det A of each item: sums over the pivots in `f64`.
    pub fn determinants(&self) -> &[Determinant] {
        &self.determinants
    }

    /// The solutions of A x = b for several vectors of each item, by the device and without waiting.
    ///
    /// The solution of an item that is not [`LuStatus::Regular`] means nothing.
    ///
    /// *Shapes*  `b`, result: batch × vectors × size
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for vectors of another batch or size; any error of the device.
    pub fn solve(&self, b: &Tensor) -> Result<Tensor> {
        self.solution(b, false)
    }

    /// The solutions of Aᵀ x = b, as [`Lu::solve`].
    ///
    /// # Errors
    /// As [`Lu::solve`].
    pub fn solve_transposed(&self, b: &Tensor) -> Result<Tensor> {
        self.solution(b, true)
    }

    fn solution(&self, b: &Tensor, transposed: bool) -> Result<Tensor> {
        let vectors = self.expect_vectors(b)?;
        let solutions = Tensor::zeros(&self.device, b.shape())?;
        let work = Buffer::zeros(&self.device, "work", if transposed { b.len() } else { 0 })?;
        let mut recorder = self.device.recorder();
        let (batch, size) = self.sizes();
        let own = Factors { buffer: self.factors.buffer(), batch, size };
        factors::solve(&mut recorder, own, transposed, (vectors, b.buffer()), &work, solutions.buffer())?;
        recorder.submit()?;
        Ok(solutions)
    }

    /// The number of matrices, and their size.
    pub(in crate::solve) fn sizes(&self) -> (usize, usize) {
        (self.matrices.shape()[0], self.matrices.shape()[1])
    }

    /// The number of vectors of each item.
    pub(in crate::solve) fn expect_vectors(&self, b: &Tensor) -> Result<usize> {
        let (batch, size) = self.sizes();
        match *b.shape() {
            [items, vectors, length] if (items, length) == (batch, size) => Ok(vectors),
            _ => Err(Error::ShapeMismatch {
                operation: "solve with LU factors",
                expected: format!("right-hand sides {batch} × vectors × {size}"),
                found: format!("{:?}", b.shape()),
            }),
        }
    }
}

fn not_square(matrices: &Tensor) -> Error {
    Error::ShapeMismatch {
        operation: "LU factors",
        expected: "matrices batch × size × size".to_string(),
        found: format!("{:?}, {} elements", matrices.shape(), volume(matrices.shape())),
    }
}
