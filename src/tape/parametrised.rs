//! The inputs of a function as the parameters of its Jacobian.

use super::linearization::Linearization;
use crate::Result;
use crate::operator::{Parametrised, expect_pairs};
use crate::tensor::Tensor;

/// The inputs of the graph that the point has values of, in their order: each has its own shape, and a derivative that
/// is summed over the batch elements.
///
/// The derivative is one reverse sweep over one product with J for each vector of a batch element.
///
/// ```
/// use opnorm::{Device, norm::spectral_norm, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// let (x, factor) = (tape.input(&[2, 1])?, tape.input(&[])?);
/// let y = x.square()?.multiply(&factor)?; // J = 2 factor x
/// let at = Tensor::from_slice(&device, &[2, 1], &[1.0, 2.0])?;
/// let three = Tensor::from_slice(&device, &[], &[3.0])?;
/// let jacobian = tape.linearize(&y, &x, &[(&x, &at), (&factor, &three)])?;
/// let slopes = spectral_norm(&jacobian)?.pull_back(&jacobian, &[1.0, 1.0])?;
/// let is_six = |slope: &f32| (slope - 6.0).abs() < 1e-4;
/// assert!(slopes[0].read(&device)?.iter().all(is_six)); // 2 factor, for each sample
/// assert!(slopes[1].read(&device)?.iter().all(is_six)); // 2 · 1 + 2 · 2
/// # Ok::<(), opnorm::Error>(())
/// ```
impl Parametrised for Linearization {
    fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
        expect_pairs(self, left, right, weights)?;
        let weights: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
        let wanted: Vec<_> = self.function.starts.iter().collect();
        self.device.block_on(self.function.pull_back((left, right, &weights), &self.point, &wanted))
    }
}
