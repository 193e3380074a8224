//! Samples between two batches, for penalties on Jacobians in training.

use crate::device::Device;
use crate::iterate::uniform_places;
use crate::tape::{Program, Tape, column};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Samples between two batches, each at a place of its own, drawn uniformly: η x + (1 - η) y.
///
/// The program is compiled once, for a training loop to use at each step: a call makes two tensors, the places and the
/// samples.
///
/// ```
/// use opnorm::{Device, norm::Interpolation, tensor::Tensor};
/// let device = Device::new()?;
/// let between = Interpolation::new(&device, &[2, 3])?;
/// let (left, right) = (Tensor::zeros(&device, &[2, 3])?, Tensor::from_slice(&device, &[2, 3], &[1.0; 6])?);
/// for step in 0..3 {
///     let samples = between.samples(&left, &right, step)?.read(&device)?;
///     assert!(samples.iter().all(|entry| (0.0..=1.0).contains(entry)) && samples[0] == samples[2]);
/// }
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
pub struct Interpolation {
    device: Device,
    shape: Vec<usize>,
    program: Program,
}

impl Interpolation {
    /// Interpolation between batches of one shape.
    ///
    /// *Shapes*  `shape`: batch × any
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more elements or axes than the library takes.
    pub fn new(device: &Device, shape: &[usize]) -> Result<Self> {
        let tape = Tape::new(device);
        let (x, y) = (tape.input(shape)?, tape.input(shape)?);
        let places = tape.input(&column(shape))?;
        let between = x.subtract(&y)?.multiply(&places)?.add(&y)?;
        let program = tape.compile(&[&x, &y, &places], &[between])?;
        Ok(Self { device: device.clone(), shape: shape.to_vec(), program })
    }

    /// New samples between `left` and `right`, the same for the same seed.
    ///
    /// *Shapes*  both, and the result: that of [`Interpolation::new`]
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for other shapes; [`Error::DeviceLost`].
    pub fn samples(&self, left: &Tensor, right: &Tensor, seed: u64) -> Result<Tensor> {
        if let Some(other) = [left, right].into_iter().find(|tensor| tensor.shape() != self.shape) {
            return Err(Error::ShapeMismatch {
                operation: "interpolate",
                expected: format!("samples of shape {:?}", self.shape),
                found: format!("{:?}", other.shape()),
            });
        }
        let batch = self.shape.first().copied().unwrap_or(1);
        let places = uniform_places(seed, batch);
        let places = Tensor::from_slice(&self.device, &column(&self.shape), &places)?;
        let samples = Tensor::zeros(&self.device, &self.shape)?;
        self.program.run_into(&[left, right, &places], &[&samples])?;
        Ok(samples)
    }
}
