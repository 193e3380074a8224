//! Dense matrices, batched, cut into row panels.

use std::ops::Range;
use std::sync::Arc;

use crate::device::{Buffer, Device, WgpuBuffer};
use crate::tensor::panel::{self, Panel};
use crate::tensor::position::Position;
use crate::tensor::screen::{self, Screen, scaling};
use crate::tensor::size::elements;
use crate::tensor::storage::Storage;
use crate::{Error, Result};

/// A batch of dense matrices in device memory, row-major, each row padded with zeros to a multiple of four elements.
///
/// *Shapes*  batch × rows × cols
///
/// A matrix past the device's binding limit (128 MiB on lavapipe) is kept as panels of whole rows. An item whose
/// largest entry lies outside 2^±40 is kept divided by a power of two, its [`Matrix::exponent`]. So `f32` arithmetic
/// neither overflows nor underflows; results are scaled back on the host. Clones share the memory.
#[derive(Clone, Debug)]
pub struct Matrix {
    device: Device,
    shape: (usize, usize, usize),
    storage: Storage,
    panels: Arc<[Panel]>,
    screens: Arc<[Screen]>,
    exponents: Arc<[i32]>,
}

impl Matrix {
    /// A matrix of zeros, screened as zeros: later writes of a kernel are not screened.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when a row is longer than a binding; [`Error::OutOfMemory`].
    pub fn zeros(device: &Device, batch: usize, rows: usize, cols: usize) -> Result<Self> {
        elements("matrix", &[batch, rows.max(1), cols.max(1)])?;
        let screens = screen::of_zeros(device, batch)?;
        Self::allocate(device, (batch, rows, cols), Storage::F32, screens)
    }

    pub(crate) fn allocate(
        device: &Device,
        shape: (usize, usize, usize),
        storage: Storage,
        screens: Vec<Screen>,
    ) -> Result<Self> {
        let (batch, rows, cols) = shape;
        elements("matrix", &[batch, rows, cols.div_ceil(4).saturating_mul(4)])?;
        Ok(Self::assemble(device, shape, storage, panel::allocate(device, shape, storage)?, screens))
    }

    pub(crate) fn assemble(
        device: &Device,
        shape: (usize, usize, usize),
        storage: Storage,
        panels: Vec<Panel>,
        screens: Vec<Screen>,
    ) -> Self {
        let exponents = screens.iter().map(Screen::exponent).collect();
        Self { device: device.clone(), shape, storage, panels: panels.into(), screens: screens.into(), exponents }
    }

    /// The device that holds the matrix.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number of matrices.
    pub fn batch(&self) -> usize {
        self.shape.0
    }

    /// The rows of each matrix.
    pub fn rows(&self) -> usize {
        self.shape.1
    }

    /// The columns of each matrix.
    pub fn cols(&self) -> usize {
        self.shape.2
    }

    /// The storage of the entries.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The panels of the matrix in device memory.
    pub fn panels(&self) -> &[Panel] {
        &self.panels
    }

    /// The exponent `e`: the device holds 2^-e times the matrix of this batch item.
    pub fn exponent(&self, item: usize) -> i32 {
        self.exponents.get(item).copied().unwrap_or(0)
    }

    /// The first entry of a batch item that is NaN or infinite, in row-major order.
    pub fn non_finite(&self, item: usize) -> Option<Position> {
        self.screens.get(item).and_then(|screen| screen.non_finite)
    }

    /// Whether every entry of a batch item is zero.
    pub fn is_zero(&self, item: usize) -> bool {
        self.screens.get(item).is_some_and(|screen| screen.largest == 0.0 && screen.non_finite.is_none())
    }

    /// The number of groups of four elements in a row.
    pub(crate) fn quads(&self) -> usize {
        self.shape.2.div_ceil(4)
    }

    /// The number of bytes on the device.
    pub fn bytes(&self) -> u64 {
        self.panels.iter().map(|panel| panel.words.len() as u64 * 4).sum()
    }

    /// The buffer that holds the whole matrix, the byte offset of its first entry and the number of elements from a row
    /// to the next.
    ///
    /// `None` where the matrix is cut into several panels, or was uploaded as a texture
    /// ([`Device::uses_textures`]).
    pub fn as_wgpu(&self) -> Option<(&WgpuBuffer, u64, usize)> {
        let [panel] = &*self.panels else { return None };
        let (buffer, offset) = panel.words.as_wgpu()?;
        Some((buffer, offset, self.quads() * 4))
    }

    /// The memory that holds the whole matrix, and the elements from one row to the next; `None` where the matrix is
    /// cut into several panels, or was uploaded as a texture ([`Device::uses_textures`]).
    ///
    /// Rows are padded with zeros to a multiple of four elements, as [`Storage`] holds them.
    pub fn words(&self) -> Option<(&Buffer<u32>, usize)> {
        let [panel] = &*self.panels else { return None };
        (!panel.words.is_texels()).then(|| (&panel.words, self.quads() * 4))
    }

    /// Waits for the entries of the whole batch, row-major, without padding.
    ///
    /// ```
    /// use opnorm::{Device, Matrix};
    /// let matrix = Matrix::from_slice(&Device::new()?, 2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(matrix.read()?, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::Timeout`].
    pub fn read(&self) -> Result<Vec<f32>> {
        let mut entries = Vec::with_capacity(self.shape.0 * self.shape.1 * self.shape.2);
        for item in 0..self.batch() {
            entries.extend(self.read_rows(item, 0..self.rows())?);
        }
        Ok(entries)
    }

    /// Waits for the entries of a batch of one matrix.
    #[cfg(any(feature = "faer", feature = "ndarray"))]
    pub(super) fn read_one(&self, operation: &'static str) -> Result<Vec<f32>> {
        if self.batch() == 1 {
            return self.read();
        }
        let (expected, found) = ("a batch of one matrix".to_string(), format!("{} matrices", self.batch()));
        Err(Error::ShapeMismatch { operation, expected, found })
    }

    /// Waits for some rows of one batch item, row-major, without padding.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for rows that do not exist; as [`Matrix::read`].
    pub fn read_rows(&self, item: usize, rows: Range<usize>) -> Result<Vec<f32>> {
        let operation = "read rows";
        if item >= self.batch() {
            return Err(Error::OutOfRange { operation, what: "items", found: item..item + 1, length: self.batch() });
        }
        if rows.end > self.rows() || rows.start > rows.end {
            return Err(Error::OutOfRange { operation, what: "rows", found: rows, length: self.rows() });
        }
        let scaled = scaling(self.exponent(item));
        let mut entries = Vec::with_capacity(rows.len() * self.cols());
        self.device.block_on(self.visit(item, rows, |_, row| {
            entries.extend(row.iter().map(|value| scaled(f64::from(*value)) as f32));
        }))?;
        Ok(entries)
    }

    /// Shows the held rows of one batch item to `visit`, in order and in pieces.
    pub(crate) async fn visit_rows(&self, item: usize, visit: impl FnMut(usize, &[f32])) -> Result<()> {
        self.visit(item, 0..self.rows(), visit).await
    }

    /// Shows all held rows of some items to `visit`, in ascending order; a panel with many small items takes few reads.
    pub(crate) async fn visit_items(&self, items: &[usize], mut visit: impl FnMut(usize, &[f32])) -> Result<()> {
        for panel in self.panels.iter() {
            let place = &panel.place;
            let wanted = || items.iter().copied().filter(|item| place.items.contains(item));
            let (Some(first), Some(last)) = (wanted().next(), wanted().next_back()) else { continue };
            let count = place.rows.len();
            let rows = (first - place.items.start) * count..(last + 1 - place.items.start) * count;
            self.visit_panel(panel, rows, |row, entries| {
                let item = place.items.start + row / count;
                if items.binary_search(&item).is_ok() {
                    visit(item, entries);
                }
            })
            .await?;
        }
        Ok(())
    }

    async fn visit(&self, item: usize, rows: Range<usize>, mut visit: impl FnMut(usize, &[f32])) -> Result<()> {
        for panel in self.panels.iter().filter(|panel| panel.place.items.contains(&item)) {
            let place = &panel.place.rows;
            let before = (item - panel.place.items.start) * place.len();
            let (start, end) = (place.start.max(rows.start), place.end.min(rows.end));
            if start < end {
                let within = before + start - place.start..before + end - place.start;
                self.visit_panel(panel, within, |row, entries| visit(row - before + place.start, entries)).await?;
            }
        }
        Ok(())
    }

    /// Shows some rows of a panel, counted over all its items, in pieces.
    async fn visit_panel(&self, panel: &Panel, rows: Range<usize>, mut visit: impl FnMut(usize, &[f32])) -> Result<()> {
        const PIECE_WORDS: usize = 4 << 20;
        let words_per_row = self.quads() * self.storage.words_per_quad();
        let step = (PIECE_WORDS / words_per_row).max(1);
        let piece = |first: usize| {
            let end = (first + step).min(rows.end);
            let mut recorder = self.device.recorder();
            let piece = recorder.read(&panel.words.slice(first * words_per_row..end * words_per_row))?;
            recorder.submit().map(|_| piece)
        };
        // The device copies a piece while `visit` has the piece before.
        let mut ahead = None;
        for first in rows.clone().step_by(step) {
            let current = ahead.take().map_or_else(|| piece(first), Ok)?;
            if first + step < rows.end {
                ahead = Some(piece(first + step)?);
            }
            let words = current.contents().await?;
            for (offset, row) in words.chunks_exact(words_per_row).enumerate() {
                match self.storage {
                    Storage::F32 => visit(first + offset, &bytemuck::cast_slice(row)[..self.shape.2]),
                    halves => visit(first + offset, &halves.decode(row)[..self.shape.2]),
                }
            }
        }
        Ok(())
    }

    /// Fills each batch item whose screen is not finite with NaN, from the host, because a shader may drop a NaN.
    pub(crate) fn fill_non_finite(&self) -> Result<()> {
        const PIECE_WORDS: usize = 4 << 20;
        let words_per_row = self.quads() * self.storage.words_per_quad();
        let row: Vec<u32> =
            (0..words_per_row).map(|word| if word < self.cols() { f32::NAN.to_bits() } else { 0 }).collect();
        for panel in self.panels.iter() {
            let (items, rows) = (&panel.place.items, panel.place.rows.len());
            let step = (PIECE_WORDS / words_per_row).clamp(1, rows.max(1));
            for item in items.clone().filter(|item| self.non_finite(*item).is_some()) {
                let piece = row.repeat(step);
                for first in (0..rows).step_by(step) {
                    let count = step.min(rows - first);
                    let start = ((item - items.start) * rows + first) * words_per_row;
                    panel.words.write(&self.device, "fill", start, &piece[..count * words_per_row])?;
                }
            }
        }
        Ok(())
    }

    /// The screens of the batch items.
    pub(crate) fn screens(&self) -> &[Screen] {
        &self.screens
    }

    pub(crate) fn expect(&self, operation: &'static str, role: &str, found: &Self) -> Result<()> {
        if self.shape == found.shape {
            return Ok(());
        }
        Err(Error::ShapeMismatch {
            operation,
            expected: format!("{role} of {:?} (batch, rows, cols)", self.shape),
            found: format!("{:?}", found.shape),
        })
    }
}
