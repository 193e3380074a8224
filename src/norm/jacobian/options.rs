//! The spectral norm of a Jacobian: its options.

use super::reduction::Reduction;
use crate::OpenEnded;
use crate::Result;
use crate::norm::Method;
use crate::tensor::{Tensor, volume};

/// The spectral norm ‖J(x)‖₂ of the Jacobian of a function at each sample x of a batch.
///
/// The function is recorded on a [`Tape`](crate::tape::Tape), and its Jacobian is an operator whose products are
/// replayed: no Jacobian is formed, and nothing is recorded again for another product. Each sample stops when its own
/// norm is found. A Jacobian proves nothing of its products, so there are no bounds unless the method has a `delta`:
/// these fail with that probability.
///
/// ```
/// use opnorm::norm::{JacobianSpectralNorm, Reduction};
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// let weight = tape.input(&[2, 2])?;
/// let values = Tensor::from_slice(&device, &[2, 2], &[3.0, 0.0, 0.0, 1.0])?;
/// let samples = Tensor::zeros(&device, &[5, 2])?;
/// let norm = JacobianSpectralNorm { reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
/// let found = norm.norms(&tape, |x| x.matmul(&weight)?.tanh(), &samples, &[(&weight, &values)])?;
/// assert!((found.reduced().unwrap() - 15.0).abs() < 1e-4);
/// // d/dW of the sum: every sample adds u vᵀ of its own
/// let gradient = found.gradient(&[&weight])?[0].read(&device)?;
/// assert!((gradient[0] - 5.0).abs() < 1e-3 && gradient[3].abs() < 1e-3);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "options do nothing until a verb is called"]
pub struct JacobianSpectralNorm {
    /// The solver: its tolerance, iterations and seed, and with `delta` an upper bound for each sample.
    pub method: Method,
    /// The way to make one number of the norms of the samples.
    pub reduction: Reduction,
    /// The number of samples to look at, the first of the batch; all where there are fewer. Their norms are the same.
    pub reduced_batch: Option<usize>,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl JacobianSpectralNorm {
    /// The samples to look at.
    pub(in crate::norm) fn reduced(&self, samples: &Tensor) -> Result<Tensor> {
        match (self.reduced_batch, samples.shape()) {
            (Some(wanted), [batch, rest @ ..]) if wanted < *batch => {
                Tensor::from_buffer(samples.buffer().slice(0..wanted * volume(rest)), &[&[wanted], rest].concat())
            }
            _ => Ok(samples.clone()),
        }
    }
}
