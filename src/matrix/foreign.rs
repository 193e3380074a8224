//! Matrices in buffers of an embedding program.

use super::rescale::rescaled;
use super::screen::screened;
use crate::device::{Buffer, Device, WgpuBuffer};
use crate::ops::pack;
use crate::tensor::screen::of_zeros;
use crate::tensor::{Matrix, Panel, Place, Storage, cut, elements};
use crate::{Error, Result};

impl Matrix {
    /// A batch of `f32` matrices in a buffer of the embedding program, from byte `offset` on.
    ///
    /// The buffer is used in place under three conditions: `cols` is a multiple of four, each panel starts on the
    /// device's binding alignment, and the entries lie within 2^±40. Otherwise the device copies the buffer once. The
    /// entries are screened once, so they must not change while the matrix is in use.
    ///
    /// # Errors
    /// As [`Buffer::from_wgpu`] and [`Matrix::zeros`]; [`crate::Error::UnsuitableHandle`] when the buffer is of another
    /// device, destroyed or mapped; [`crate::Error::DeviceLost`].
    pub fn from_wgpu(device: &Device, buffer: WgpuBuffer, offset: u64, shape: (usize, usize, usize)) -> Result<Self> {
        device.block_on(Self::from_wgpu_async(device, buffer, offset, shape))
    }

    /// [`Matrix::from_wgpu`] without blocking the thread.
    ///
    /// # Errors
    /// As [`Matrix::from_wgpu`].
    pub async fn from_wgpu_async(
        device: &Device,
        buffer: WgpuBuffer,
        offset: u64,
        shape: (usize, usize, usize),
    ) -> Result<Self> {
        let len = entries(shape)?;
        Self::from_buffer_async(device, &Buffer::from_wgpu(buffer, "matrix", offset, len)?, shape).await
    }

    /// A batch of `f32` matrices in memory of the device, row-major and without gaps.
    ///
    /// The memory is used or copied as [`Matrix::from_wgpu`] says.
    ///
    /// # Errors
    /// As [`Matrix::from_wgpu`].
    pub fn from_buffer(device: &Device, buffer: &Buffer<f32>, shape: (usize, usize, usize)) -> Result<Self> {
        device.block_on(Self::from_buffer_async(device, buffer, shape))
    }

    /// [`Matrix::from_buffer`] without blocking the thread.
    ///
    /// # Errors
    /// As [`Matrix::from_buffer`].
    pub async fn from_buffer_async(
        device: &Device,
        buffer: &Buffer<f32>,
        shape: (usize, usize, usize),
    ) -> Result<Self> {
        let (whole, needed) = (buffer.words(), entries(shape)?);
        if whole.len() < needed {
            return Err(Error::ShapeMismatch {
                operation: "matrix",
                expected: format!("memory of {needed} elements"),
                found: format!("{}", whole.len()),
            });
        }
        let (batch, rows, cols) = shape;
        whole.expect_on(device, "matrix")?;
        let places = cut(device.capabilities(), shape, Storage::F32)?;
        let start = |place: &Place| (place.items.start * rows + place.rows.start) * cols;
        let alignment = device.capabilities().offset_alignment;
        let in_place = cols % 4 == 0
            && places.iter().all(|place| (whole.offset() + start(place) as u64 * 4).is_multiple_of(alignment));
        let matrix = if in_place {
            let panels = places.into_iter().map(|place| {
                let first = start(&place);
                Panel { words: whole.slice(first..first + place.row_count() * cols), place }
            });
            Self::assemble(device, shape, Storage::F32, panels.collect(), of_zeros(device, batch)?)
        } else {
            let packed = Self::allocate(device, shape, Storage::F32, of_zeros(device, batch)?)?;
            for panel in packed.panels() {
                let first = start(&panel.place);
                let loose = Buffer::zeros(device, "matrix", panel.place.row_count() * cols)?;
                let mut recorder = device.recorder();
                recorder.copy(&whole.slice(first..first + loose.len()), &loose)?;
                pack(&mut recorder, &loose, panel, cols)?;
                recorder.submit()?;
            }
            packed
        };
        let screens = screened(&matrix).await?;
        if screens.iter().all(|screen| screen.exponent() == 0) {
            let panels = matrix.panels().to_vec();
            return Ok(Self::assemble(device, shape, Storage::F32, panels, screens));
        }
        rescaled(&matrix, screens)
    }
}

/// The number of entries, where they can be counted with their padding.
fn entries((batch, rows, cols): (usize, usize, usize)) -> Result<usize> {
    elements("matrix", &[batch, rows.max(1), cols.max(1).div_ceil(4).saturating_mul(4)])?;
    Ok(batch * rows * cols)
}
