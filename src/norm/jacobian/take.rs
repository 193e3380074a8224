//! Norms of the Jacobian of a function that is recorded for them: once, or to be taken at many points.

use super::norms::JacobianNorms;
use super::options::JacobianSpectralNorm;
use super::prepared::PreparedJacobianNorm;
use crate::iterate::Control;
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

impl JacobianSpectralNorm {
    /// The norms for `function` at `samples`, with the values of its other inputs.
    ///
    /// The function's argument is made here, so that the derivative is with respect to it alone. The function must map
    /// each sample by itself, and is refused where it does not at these samples. Where samples or weights change again
    /// and again, [`JacobianSpectralNorm::prepare`] records and compiles once for all of them.
    ///
    /// *Shapes*  `samples`: batch × any · the function's value: batch × any
    ///
    /// # Errors
    /// Whatever the function returns; as [`Tape::linearize`] and [`crate::norm::Lanczos::norm`].
    pub fn norms(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
    ) -> Result<JacobianNorms> {
        tape.device().block_on(self.norms_async(tape, function, samples, others, Control::default()))
    }

    /// [`JacobianSpectralNorm::norms`] with a control, and without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`JacobianSpectralNorm::norms`]; whatever the listener of the control returns.
    pub async fn norms_async(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
        control: Control<'_>,
    ) -> Result<JacobianNorms> {
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) = others.iter().copied().unzip();
        let prepared = PreparedJacobianNorm::at_point(self, tape, function, samples, (&values, &tensors)).await?;
        prepared.here_async(control).await
    }

    /// The norms for 2 f - 1, f being `function`: none is above 1 exactly if f is firmly nonexpansive at the samples
    /// (Pesquet, Repetti, Terris and Wiaux, *Learning maximally monotone operators for image recovery*, 2021).
    ///
    /// [`Interpolation`](super::Interpolation) gives samples between two batches, as training takes them.
    ///
    /// *Shapes*  the function's value: that of its argument
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another shape of the function's value; as [`JacobianSpectralNorm::norms`].
    pub fn norms_of_reflection(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
    ) -> Result<JacobianNorms> {
        let control = Control::default();
        tape.device().block_on(self.norms_of_reflection_async(tape, function, samples, others, control))
    }

    /// [`JacobianSpectralNorm::norms_of_reflection`] with a control, and without blocking the thread while the device
    /// works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`JacobianSpectralNorm::norms_of_reflection`]; whatever the listener of the control returns.
    pub async fn norms_of_reflection_async(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
        control: Control<'_>,
    ) -> Result<JacobianNorms> {
        let reflection = |input: &Value| {
            let value = function(input)?;
            if value.shape() != input.shape() {
                return Err(Error::ShapeMismatch {
                    operation: "reflection",
                    expected: format!("a function's value of the shape of its argument, {:?}", input.shape()),
                    found: format!("{:?}", value.shape()),
                });
            }
            value.scale(2.0)?.subtract(input)
        };
        self.norms_async(tape, reflection, samples, others, control).await
    }

    /// Records `function` and its derivatives once, to take the norms at any samples and values of its other inputs.
    ///
    /// *Shapes*  `samples`: batch × any, that of all samples to come · the function's value: batch × any
    ///
    /// # Errors
    /// As [`JacobianSpectralNorm::norms`].
    pub fn prepare(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &[usize],
        others: &[&Value],
    ) -> Result<PreparedJacobianNorm> {
        tape.device().block_on(self.prepare_async(tape, function, samples, others))
    }

    /// [`JacobianSpectralNorm::prepare`] without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`JacobianSpectralNorm::prepare`].
    pub async fn prepare_async(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &[usize],
        others: &[&Value],
    ) -> Result<PreparedJacobianNorm> {
        let device = tape.device();
        let zeros = |shape: &[usize]| Tensor::zeros(device, shape);
        let tensors: Vec<Tensor> = others.iter().map(|other| zeros(other.shape())).collect::<Result<_>>()?;
        let tensors: Vec<&Tensor> = tensors.iter().collect();
        PreparedJacobianNorm::at_point(self, tape, function, &zeros(samples)?, (others, &tensors)).await
    }
}
