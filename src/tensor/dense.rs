//! Plain `f32` tensors.

use crate::device::{Buffer, Device, WgpuBuffer};
use crate::tensor::size::elements;
use crate::tensor::storage::ElementSource;
use crate::{Error, Result};

/// An `f32` tensor of any shape in device memory, row-major and without gaps; clones share the memory.
///
/// Operators read and write tensors of shape *batch* × *vectors* × (their domain or codomain), with each vector
/// contiguous.
#[derive(Clone, Debug)]
pub struct Tensor {
    buffer: Buffer<f32>,
    shape: Vec<usize>,
}

impl Tensor {
    /// A tensor of zeros.
    ///
    /// ```
    /// use opnorm::{Device, tensor::Tensor};
    /// let device = Device::new()?;
    /// let zeros = Tensor::zeros(&device, &[2, 3])?;
    /// assert_eq!(zeros.read(&device)?, [0.0; 6]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] above the device's limits, [`Error::OutOfMemory`].
    pub fn zeros(device: &Device, shape: &[usize]) -> Result<Self> {
        let buffer = Buffer::zeros(device, "tensor", elements("tensor", shape)?)?;
        Ok(Self { buffer, shape: shape.to_vec() })
    }

    /// A tensor with a copy of `data`; [`Tensor::upload`] takes other types.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shape has another number of elements; as [`Tensor::zeros`].
    pub fn from_slice(device: &Device, shape: &[usize], data: &[f32]) -> Result<Self> {
        expect_elements(shape, data.len())?;
        Ok(Self { buffer: Buffer::from_slice(device, "tensor", data)?, shape: shape.to_vec() })
    }

    /// A tensor with a copy of the elements of any source.
    ///
    /// Elements of `f64` are rounded to `f32`; past the range of `f32` they become infinite.
    ///
    /// ```
    /// use opnorm::{Device, tensor::Tensor};
    /// let device = Device::new()?;
    /// let weights: Vec<f64> = vec![0.5, 0.25];
    /// assert_eq!(Tensor::upload(&device, &[2, 1], &weights)?.read(&device)?, [0.5, 0.25]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// Any error of the source, such as a source that is too short; as [`Tensor::zeros`].
    pub fn upload<S: ElementSource + ?Sized>(device: &Device, shape: &[usize], source: &S) -> Result<Self> {
        Self::filled(device, shape, |first, piece| source.copy_f32(first, piece))
    }

    /// Identity matrices, one after another: the unit vectors of each item, as rows.
    ///
    /// *Shapes*  `shape`: any with batch · `size` · `size` elements
    ///
    /// # Errors
    /// As [`Tensor::zeros`].
    pub(crate) fn identities(device: &Device, shape: &[usize], size: usize) -> Result<Self> {
        Self::filled(device, shape, |first, piece| {
            let one = |place: usize| f32::from((place % (size * size)).is_multiple_of(size + 1));
            piece.iter_mut().zip(first..).for_each(|(entry, place)| *entry = one(place));
            Ok(())
        })
    }

    /// A tensor whose elements `fill` writes, from a first one on.
    fn filled(device: &Device, shape: &[usize], mut fill: impl FnMut(usize, &mut [f32]) -> Result<()>) -> Result<Self> {
        // In pieces, because all elements may be too many for host memory.
        const PIECE: usize = 4 << 20;
        let tensor = Self::zeros(device, shape)?;
        let mut piece = vec![0f32; tensor.len().min(PIECE)];
        for first in (0..tensor.len()).step_by(PIECE) {
            let count = piece.len().min(tensor.len() - first);
            fill(first, &mut piece[..count])?;
            tensor.buffer.write(device, "tensor", first, &piece[..count])?;
        }
        Ok(tensor)
    }

    /// A view of a buffer as a tensor of `shape`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shape has another number of elements.
    pub fn from_buffer(buffer: Buffer<f32>, shape: &[usize]) -> Result<Self> {
        expect_elements(shape, buffer.len())?;
        Ok(Self { buffer, shape: shape.to_vec() })
    }

    /// A tensor in a buffer of the embedding program, from byte `offset` on, without a copy.
    ///
    /// A buffer of another device, or a destroyed or mapped buffer, is refused on first use of the tensor.
    ///
    /// # Errors
    /// As [`Buffer::from_wgpu`].
    pub fn from_wgpu(buffer: WgpuBuffer, offset: u64, shape: &[usize]) -> Result<Self> {
        let buffer = Buffer::from_wgpu(buffer, "tensor", offset, elements("tensor", shape)?)?;
        Ok(Self { buffer, shape: shape.to_vec() })
    }

    /// The buffer underneath and the byte offset of the first element; `None` on the host.
    pub fn as_wgpu(&self) -> Option<(&WgpuBuffer, u64)> {
        self.buffer.as_wgpu()
    }

    /// The size along each dimension.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether the tensor has no elements.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The memory as a buffer.
    pub fn buffer(&self) -> &Buffer<f32> {
        &self.buffer
    }

    /// The same memory under another shape.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shape has another number of elements.
    pub fn reshaped(&self, shape: &[usize]) -> Result<Self> {
        Self::from_buffer(self.buffer.clone(), shape)
    }

    /// Waits for the contents.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::Timeout`].
    pub fn read(&self, device: &Device) -> Result<Vec<f32>> {
        device.block_on(self.read_async(device))
    }

    /// The contents, without blocking the thread.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::Timeout`].
    pub async fn read_async(&self, device: &Device) -> Result<Vec<f32>> {
        let mut recorder = device.recorder();
        let contents = recorder.read(&self.buffer)?;
        recorder.submit()?;
        contents.contents().await
    }
}

fn expect_elements(shape: &[usize], found: usize) -> Result<()> {
    let needed = elements("tensor", shape)?;
    if needed == found {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation: "tensor",
        expected: format!("{needed} elements for the shape {shape:?}"),
        found: format!("{found}"),
    })
}
