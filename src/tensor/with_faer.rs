//! Conversions of matrices from and to `faer`.

use faer::{Mat, MatRef};

use crate::device::Device;
use crate::tensor::matrix::Matrix;
use crate::tensor::storage::Element;
use crate::{Error, Result};

impl Matrix {
    /// A matrix with the entries of a `faer` matrix, with any strides.
    ///
    /// ```
    /// use opnorm::{Device, Matrix, faer};
    /// let host = faer::Mat::from_fn(2, 3, |row, col| (10 * row + col) as f32);
    /// let matrix = Matrix::from_faer(&Device::new()?, host.as_ref())?;
    /// assert_eq!(matrix.read()?, [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    /// assert_eq!(faer::Mat::try_from(&matrix)?, host);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_faer<T: Element>(device: &Device, matrix: MatRef<'_, T>) -> Result<Self> {
        let (rows, cols) = matrix.shape();
        let entries: Vec<T> = (0..rows).flat_map(|row| (0..cols).map(move |col| matrix[(row, col)])).collect();
        Self::from_elements(device, 1, rows, cols, &entries)
    }
}

/// Waits for the entries of a batch of one matrix.
///
/// # Errors
/// [`Error::ShapeMismatch`] for a batch of another size; as [`Matrix::read`].
impl TryFrom<&Matrix> for Mat<f32> {
    type Error = Error;

    fn try_from(matrix: &Matrix) -> Result<Self> {
        let (entries, cols) = (matrix.read_one("faer::Mat")?, matrix.cols());
        Ok(Self::from_fn(matrix.rows(), cols, |row, col| entries[row * cols + col]))
    }
}
