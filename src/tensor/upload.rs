//! Uploads of matrices from host memory and files.

use glam::{Mat2, Mat3, Mat4};
use half::{bf16, f16};

use crate::gpu::Gpu;
use crate::tensor::matrix::Matrix;
use crate::tensor::position::Position;
use crate::tensor::screen::{self, Screen, scale_by_power};
use crate::tensor::size::elements;
use crate::tensor::storage::{Element, ElementSource, SourceElement, Storage};
use crate::{Error, Result};

/// The number of elements that pass through host memory at once on their way to the device.
const PIECE: usize = 4 << 20;

impl Matrix {
    /// A `rows × cols` matrix from row-major entries; [`Matrix::upload`] takes other types, and vectors of rows.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when `entries` has another number of elements; as [`Matrix::zeros`].
    pub fn from_slice(gpu: &Gpu, rows: usize, cols: usize, entries: &[f32]) -> Result<Self> {
        Self::from_batch(gpu, 1, rows, cols, entries)
    }

    /// A batch of matrices from row-major entries, item after item.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_batch(gpu: &Gpu, batch: usize, rows: usize, cols: usize, entries: &[f32]) -> Result<Self> {
        Self::from_elements(gpu, batch, rows, cols, entries)
    }

    /// A batch of matrices stored as 16-bit IEEE floats.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_f16(gpu: &Gpu, batch: usize, rows: usize, cols: usize, entries: &[f16]) -> Result<Self> {
        Self::from_elements(gpu, batch, rows, cols, entries)
    }

    /// A batch of matrices stored as 16-bit brain floats.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_bf16(gpu: &Gpu, batch: usize, rows: usize, cols: usize, entries: &[bf16]) -> Result<Self> {
        Self::from_elements(gpu, batch, rows, cols, entries)
    }

    /// A batch of matrices from 64-bit floats, rounded to `f32` after an exact scaling of each item into range.
    ///
    /// # Errors
    /// As [`Matrix::from_slice`].
    pub fn from_f64(gpu: &Gpu, batch: usize, rows: usize, cols: usize, entries: &[f64]) -> Result<Self> {
        Self::from_elements(gpu, batch, rows, cols, entries)
    }

    /// A batch of 2 × 2 matrices.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_mat2(gpu: &Gpu, matrices: &[Mat2]) -> Result<Self> {
        // A transpose, because glam keeps columns together and the matrix keeps rows together.
        let entries: Vec<f32> = matrices.iter().flat_map(|matrix| matrix.transpose().to_cols_array()).collect();
        Self::from_batch(gpu, matrices.len(), 2, 2, &entries)
    }

    /// A batch of 3 × 3 matrices.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_mat3(gpu: &Gpu, matrices: &[Mat3]) -> Result<Self> {
        let entries: Vec<f32> = matrices.iter().flat_map(|matrix| matrix.transpose().to_cols_array()).collect();
        Self::from_batch(gpu, matrices.len(), 3, 3, &entries)
    }

    /// A batch of 4 × 4 matrices.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn from_mat4(gpu: &Gpu, matrices: &[Mat4]) -> Result<Self> {
        let entries: Vec<f32> = matrices.iter().flat_map(|matrix| matrix.transpose().to_cols_array()).collect();
        Self::from_batch(gpu, matrices.len(), 4, 4, &entries)
    }

    pub(super) fn from_elements<T: Element>(
        gpu: &Gpu,
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
        Self::upload(gpu, (batch, rows, cols), entries)
    }

    /// A batch of matrices from any source, which is read twice: for the range of its entries, and for the copy.
    ///
    /// 16-bit sources stay 16-bit unless their range needs a scaling. `f64` sources are rounded to `f32`, after an
    /// exact scaling of each item into range.
    ///
    /// ```
    /// use opnorm::{Gpu, Matrix};
    /// let gpu = Gpu::new()?;
    /// let entries: Vec<f64> = vec![1e300, 0.0, 0.0, -2e300];
    /// assert_eq!(Matrix::upload(&gpu, (1, 2, 2), &entries)?.exponent(0), 997);
    /// assert_eq!(Matrix::upload(&gpu, (1, 2, 2), &[[1.0, 2.0], [3.0, 4.0]])?.read()?, [1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// Any error of the source, such as a source that is too short; as [`Matrix::zeros`].
    pub fn upload<S: ElementSource + ?Sized>(gpu: &Gpu, shape: (usize, usize, usize), source: &S) -> Result<Self> {
        let (batch, rows, cols) = shape;
        elements("matrix", &[batch, rows, cols.div_ceil(4).saturating_mul(4)])?;
        let mut screens = screen::of_zeros(gpu, batch)?;
        for (item, screen) in screens.iter_mut().enumerate() {
            *screen = look(source, item * rows * cols, rows, cols)?;
        }
        let scaled = screens.iter().any(|screen| screen.exponent() != 0);
        let storage = match source.element() {
            SourceElement::F16 if !scaled => Storage::F16,
            SourceElement::Bf16 if !scaled => Storage::Bf16,
            _ => Storage::F32,
        };
        let matrix = Self::allocate(gpu, shape, storage, screens)?;
        let words_per_row = matrix.quads() * storage.words_per_quad();
        let step = (PIECE / words_per_row.max(1)).max(1);
        for panel in matrix.panels() {
            let first = panel.place.items.start * rows + panel.place.rows.start;
            for start in (0..panel.place.row_count()).step_by(step) {
                let count = step.min(panel.place.row_count() - start);
                let words = matrix.encode(source, first + start, count)?;
                panel.words.write(gpu, "upload", start * words_per_row, &words)?;
                // A single piece at a time, because a written piece waits in host memory until a submit.
                gpu.recorder().submit()?;
                gpu.poll_until_idle()?;
            }
        }
        Ok(matrix)
    }

    /// The words of `count` rows from row `first` of the whole batch on.
    fn encode<S: ElementSource + ?Sized>(&self, source: &S, first: usize, count: usize) -> Result<Vec<u32>> {
        let cols = self.cols();
        let words_per_row = self.quads() * self.storage().words_per_quad();
        let mut words = vec![0u32; count * words_per_row];
        let mut rows = words.chunks_exact_mut(words_per_row).zip(first..first + count);
        match self.storage() {
            Storage::F32 => {
                let mut entries = vec![0f64; cols];
                rows.try_for_each(|(words, row)| {
                    let exponent = self.exponent(row / self.rows());
                    source.copy_f64(row * cols, &mut entries)?;
                    let scaled = entries.iter().map(|value| scale_by_power(*value, -exponent) as f32);
                    words.iter_mut().zip(scaled).for_each(|(word, value)| *word = value.to_bits());
                    Ok(())
                })?;
            }
            Storage::F16 | Storage::Bf16 => {
                let mut halves = vec![0u16; words_per_row * 2];
                rows.try_for_each(|(words, row)| {
                    source.copy_half_bits(row * cols, &mut halves[..cols])?;
                    let pairs = halves.chunks_exact(2).map(|pair| u32::from(pair[0]) | u32::from(pair[1]) << 16);
                    words.iter_mut().zip(pairs).for_each(|(word, pair)| *word = pair);
                    Ok(())
                })?;
            }
        }
        Ok(words)
    }
}

/// Screens the entries of one batch item of a source.
fn look<S: ElementSource + ?Sized>(source: &S, first: usize, rows: usize, cols: usize) -> Result<Screen> {
    let mut screen = Screen::default();
    let total = rows * cols;
    let mut piece = vec![0f64; total.min(PIECE / 16)];
    let mut done = 0;
    while done < total {
        let count = piece.len().min(total - done);
        source.copy_f64(first + done, &mut piece[..count])?;
        for (offset, value) in piece[..count].iter().enumerate() {
            screen.see(*value, || Position { row: (done + offset) / cols, col: (done + offset) % cols });
        }
        done += count;
    }
    Ok(screen)
}
