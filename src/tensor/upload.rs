//! Uploads of matrices from host memory and files.

#[cfg(feature = "io")]
use std::ops::Range;

use glam::{Mat2, Mat3, Mat4};
use half::{bf16, f16};

use crate::device::Device;
use crate::device::each_item;
use crate::tensor::encoder::Encoder;
use crate::tensor::fill::{Piece, fill};
use crate::tensor::matrix::Matrix;
use crate::tensor::panel;
use crate::tensor::screen::{self, Screen};
use crate::tensor::size::elements;
use crate::tensor::storage::{Element, ElementSource, SourceElement, Storage};
#[cfg(feature = "io")]
use crate::tensor::window::Window;
use crate::{Error, Result};

impl Matrix {
    /// A `rows × cols` matrix from row-major entries; [`Matrix::upload`] takes other types, and vectors of rows.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when `entries` has another number of elements; as [`Matrix::zeros`].
    pub fn from_slice(device: &Device, rows: usize, cols: usize, entries: &[f32]) -> Result<Self> {
        Self::from_batch(device, 1, rows, cols, entries)
    }

    /// A batch of matrices from row-major entries, item after item.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_batch(device: &Device, batch: usize, rows: usize, cols: usize, entries: &[f32]) -> Result<Self> {
        Self::from_elements(device, batch, rows, cols, entries)
    }

    /// A batch of matrices stored as 16-bit IEEE floats.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_f16(device: &Device, batch: usize, rows: usize, cols: usize, entries: &[f16]) -> Result<Self> {
        Self::from_elements(device, batch, rows, cols, entries)
    }

    /// A batch of matrices stored as 16-bit brain floats.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_bf16(device: &Device, batch: usize, rows: usize, cols: usize, entries: &[bf16]) -> Result<Self> {
        Self::from_elements(device, batch, rows, cols, entries)
    }

    /// A batch of matrices from 64-bit floats, rounded to `f32` after an exact scaling of each item into range.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_f64(device: &Device, batch: usize, rows: usize, cols: usize, entries: &[f64]) -> Result<Self> {
        Self::from_elements(device, batch, rows, cols, entries)
    }

    /// A batch of 2 × 2 matrices.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_mat2(device: &Device, matrices: &[Mat2]) -> Result<Self> {
        // A transpose, because glam keeps columns together and the matrix keeps rows together.
        let entries: Vec<_> = matrices.iter().map(|matrix| matrix.transpose().to_cols_array()).collect();
        Self::from_batch(device, matrices.len(), 2, 2, entries.as_flattened())
    }

    /// A batch of 3 × 3 matrices.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_mat3(device: &Device, matrices: &[Mat3]) -> Result<Self> {
        let entries: Vec<_> = matrices.iter().map(|matrix| matrix.transpose().to_cols_array()).collect();
        Self::from_batch(device, matrices.len(), 3, 3, entries.as_flattened())
    }

    /// A batch of 4 × 4 matrices.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_mat4(device: &Device, matrices: &[Mat4]) -> Result<Self> {
        let entries: Vec<_> = matrices.iter().map(|matrix| matrix.transpose().to_cols_array()).collect();
        Self::from_batch(device, matrices.len(), 4, 4, entries.as_flattened())
    }

    pub(super) fn from_elements<T: Element>(
        device: &Device,
        batch: usize,
        rows: usize,
        cols: usize,
        entries: &[T],
    ) -> Result<Self> {
        let needed = elements("matrix", &[batch, rows, cols])?;
        if entries.len() != needed {
            return Err(Error::ShapeMismatch {
                operation: "matrix",
                expected: format!("{needed} entries for {batch} x {rows} x {cols}"),
                found: format!("{}", entries.len()),
            });
        }
        Self::upload_shared(device, (batch, rows, cols), entries)
    }

    /// A batch of matrices from any source, which is read once, and once more where the range of its entries asks for a
    /// scaling.
    ///
    /// 16-bit sources stay 16-bit unless their range needs a scaling. `f64` sources are rounded to `f32`, after an
    /// exact scaling of each item into range.
    ///
    /// ```
    /// use opnorm::{Device, Matrix};
    /// let device = Device::new()?;
    /// let entries: Vec<f64> = vec![1e300, 0.0, 0.0, -2e300];
    /// assert_eq!(Matrix::upload(&device, (1, 2, 2), &entries)?.exponent(0), 997);
    /// assert_eq!(Matrix::upload(&device, (1, 2, 2), &[[1.0, 2.0], [3.0, 4.0]])?.read()?, [1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// Any error of the source, such as a source that is too short; as [`Matrix::zeros`].
    pub fn upload<S: ElementSource + ?Sized>(
        device: &Device,
        shape: (usize, usize, usize),
        source: &S,
    ) -> Result<Self> {
        Self::upload_by(device, shape, source, |encoder, pieces| {
            pieces.iter_mut().for_each(|piece| piece.encode(encoder));
        })
    }

    /// [`Matrix::upload`] of a source that several threads read where it is large.
    ///
    /// # Errors
    /// As [`Matrix::upload`].
    pub(crate) fn upload_shared<S: ElementSource + Sync + ?Sized>(
        device: &Device,
        shape: (usize, usize, usize),
        source: &S,
    ) -> Result<Self> {
        Self::upload_by(device, shape, source, |encoder, pieces| each_item(pieces, |piece| piece.encode(encoder)))
    }

    fn upload_by<S: ElementSource + ?Sized>(
        device: &Device,
        shape: (usize, usize, usize),
        source: &S,
        encode: fn(&Encoder<'_, S>, &mut [Piece<'_>]),
    ) -> Result<Self> {
        let (batch, _, cols) = shape;
        elements("matrix", &[batch, shape.1, cols.div_ceil(4).saturating_mul(4)])?;
        let mut screens = screen::of_zeros(device, batch)?;
        let mut storage = match source.element() {
            SourceElement::F16 => Storage::F16,
            SourceElement::Bf16 => Storage::Bf16,
            _ => Storage::F32,
        };
        let mut panels = panel::allocate_uploaded(device, shape, storage)?;
        let exponents = vec![0; batch];
        fill(device, &panels, &Encoder { source, shape, storage, exponents: &exponents }, &mut screens, encode)?;
        let exponents: Vec<i32> = screens.iter().map(Screen::exponent).collect();
        if exponents.iter().any(|exponent| *exponent != 0) {
            if storage != Storage::F32 {
                storage = Storage::F32;
                panels.clear();
                panels = panel::allocate_uploaded(device, shape, storage)?;
            }
            fill(device, &panels, &Encoder { source, shape, storage, exponents: &exponents }, &mut screens, encode)?;
        }
        Ok(Self::assemble(device, shape, storage, panels, screens))
    }
}

#[cfg(feature = "io")]
impl Matrix {
    /// The words of some rows of an item, as the device holds them, from the source of the upload.
    ///
    /// # Errors
    /// Any error of the source.
    pub(crate) fn words_of<S: ElementSource + ?Sized>(
        &self,
        source: &S,
        item: usize,
        rows: Range<usize>,
    ) -> Result<Vec<u32>> {
        let storage = self.storage();
        // The item alone: nothing here grows with the batch.
        let source = Window { source, first: item * self.rows() * self.cols() };
        let shape = (1, self.rows(), self.cols());
        let encoder = Encoder { source: &source, shape, storage, exponents: &[self.exponent(item)] };
        let mut words = vec![0; rows.len() * self.quads() * storage.words_per_quad()];
        encoder.encode(rows, &mut words, &mut [Screen::default()])?;
        Ok(words)
    }
}
