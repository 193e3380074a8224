//! Conversions of matrices from and to `ndarray`.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use crate::device::Device;
use crate::tensor::matrix::Matrix;
use crate::tensor::storage::Element;
use crate::{Error, Result};

impl Matrix {
    /// A matrix with the entries of an array, with any strides.
    ///
    /// ```
    /// use opnorm::{Device, Matrix, ndarray};
    /// let host = ndarray::array![[1f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    /// let matrix = Matrix::from_ndarray(&Device::new()?, host.view())?;
    /// let turned = Matrix::from_ndarray(matrix.device(), host.t())?;
    /// assert_eq!(turned.read()?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    /// assert_eq!(ndarray::Array2::try_from(&matrix)?, host);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_ndarray<T: Element>(device: &Device, array: ArrayView2<'_, T>) -> Result<Self> {
        let (rows, cols) = array.dim();
        let entries: Vec<T> = array.iter().copied().collect();
        Self::from_elements(device, 1, rows, cols, &entries)
    }

    /// A batch of matrices with the entries of an array of batch × rows × cols, with any strides.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_ndarray_batch<T: Element>(device: &Device, array: ArrayView3<'_, T>) -> Result<Self> {
        let (batch, rows, cols) = array.dim();
        let entries: Vec<T> = array.iter().copied().collect();
        Self::from_elements(device, batch, rows, cols, &entries)
    }
}

/// Waits for the entries of a batch of one matrix.
///
/// # Errors
/// [`Error::ShapeMismatch`] for a batch of another size; as [`Matrix::read`].
impl TryFrom<&Matrix> for Array2<f32> {
    type Error = Error;

    fn try_from(matrix: &Matrix) -> Result<Self> {
        let entries = matrix.read_one("ndarray::Array2")?;
        Self::from_shape_vec((matrix.rows(), matrix.cols()), entries)
            .map_err(|error| refused("ndarray::Array2", &error))
    }
}

/// Waits for the entries of a batch.
///
/// # Errors
/// As [`Matrix::read`].
impl TryFrom<&Matrix> for Array3<f32> {
    type Error = Error;

    fn try_from(matrix: &Matrix) -> Result<Self> {
        let shape = (matrix.batch(), matrix.rows(), matrix.cols());
        Self::from_shape_vec(shape, matrix.read()?).map_err(|error| refused("ndarray::Array3", &error))
    }
}

fn refused(operation: &'static str, error: &ndarray::ShapeError) -> Error {
    Error::ShapeMismatch { operation, expected: "a shape that fits the entries".to_string(), found: error.to_string() }
}
