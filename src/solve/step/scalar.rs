//! Numbers of vectors in memory of the device.

use crate::Result;
use crate::device::{Buffer, Device};
use crate::tensor::Tensor;

/// One number for each vector, in memory of the device; clones share it.
#[derive(Clone, Debug)]
pub(in crate::solve) struct Scalar {
    /// The number of the scalar among those of its space.
    pub(in crate::solve) place: usize,
    pub(in crate::solve) tensor: Tensor,
}

impl Scalar {
    pub(in crate::solve) fn new(device: &Device, place: usize, numbers: &[f32]) -> Result<Self> {
        Ok(Self { place, tensor: Tensor::from_slice(device, &[numbers.len()], numbers)? })
    }

    pub(in crate::solve) fn buffer(&self) -> &Buffer<f32> {
        self.tensor.buffer()
    }
}
