//! Random vectors for estimates of traces, and the errors of such estimates.

use super::Random;
use crate::Result;
use crate::device::Device;
use crate::tape::Value;
use crate::tensor::{Tensor, volume};

/// The distribution of random vectors ε with E[ε εᵀ] = I, for which E[εᵀ A ε] = tr A.
///
/// *Source*  Hutchinson, *A stochastic estimator of the trace of the influence matrix*, 1989.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Probes {
    /// Independent signs, which leave the diagonal of A no variance.
    ///
    /// The variance of εᵀ A ε is 2 |S|², for the part S of (A + Aᵀ) / 2 off the diagonal in the Frobenius norm.
    #[default]
    Signs,
    /// Independent standard normal numbers, whose distribution no rotation changes.
    ///
    /// The variance of εᵀ A ε is 2 |S|², for the whole of S = (A + Aᵀ) / 2.
    Normal,
}

impl Probes {
    /// Random vectors in a tensor of a shape, the same for the same seed and stream on every device.
    ///
    /// A training step takes new probes as an input of its program, by its number as the stream.
    ///
    /// ```
    /// use opnorm::{Device, layer::Probes};
    /// let device = Device::new()?;
    /// let probes = Probes::Signs.draw(&device, &[2, 3], 7, 0)?; // two vectors of three elements
    /// assert!(probes.read(&device)?.iter().all(|element| element.abs() == 1.0));
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// Errors of the device.
    pub fn draw(self, device: &Device, shape: &[usize], seed: u64, stream: u64) -> Result<Tensor> {
        let mut random = Random::new(seed, stream);
        let draw = |_| match self {
            Self::Signs if random.uniform() <= 0.5 => -1.0,
            Self::Signs => 1.0,
            Self::Normal => random.normal() as f32,
        };
        Tensor::from_slice(device, shape, &(0..volume(shape)).map(draw).collect::<Vec<f32>>())
    }
}

/// The standard error of the mean of independent samples along the first axis, at least two, as a constant.
pub(super) fn standard_error(samples: &Value, mean: &Value) -> Result<Value> {
    let count = samples.shape().first().copied().unwrap_or_default() as f64;
    let square = samples.subtract(mean)?.square()?.sum(&[0])?.scale((count * (count - 1.0)).recip())?;
    square.stop_gradient()?.sqrt()
}
