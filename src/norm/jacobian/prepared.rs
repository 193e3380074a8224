//! Jacobian norms that are recorded once and taken at many points.

use std::sync::Arc;

use super::norms::JacobianNorms;
use super::options::JacobianSpectralNorm;
use crate::Result;
use crate::iterate::Control;
use crate::tape::{Linearization, Tape, Value};
use crate::tensor::Tensor;

/// The norms of one function's Jacobian, at any samples and values of its other inputs: made by
/// [`JacobianSpectralNorm::prepare`].
///
/// The function, its derivative and the gradients that were asked for are recorded and compiled once; a loop over
/// points adds nothing to the tape.
///
/// ```
/// use opnorm::norm::{JacobianSpectralNorm, Reduction};
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// let slope = tape.input(&[])?;
/// let norm = JacobianSpectralNorm { reduction: Reduction::Mean, ..JacobianSpectralNorm::default() };
/// let mut prepared = norm.prepare(&tape, |x| x.multiply(&slope)?.sin(), &[4, 2], &[&slope])?;
/// let samples = Tensor::zeros(&device, &[4, 2])?;
/// for value in [1.0, 2.0, 3.0] {
///     let found = prepared.norms_at(&samples, &[&Tensor::from_slice(&device, &[], &[value])?])?;
///     assert!((found.reduced().unwrap() - f64::from(value)).abs() < 1e-5);
///     let gradient = found.gradient(&[&slope])?[0].read(&device)?;
///     assert!((gradient[0] - 1.0).abs() < 1e-5);
/// }
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct PreparedJacobianNorm {
    options: JacobianSpectralNorm,
    /// The derivative with respect to the samples; its point is the samples, then the other inputs.
    jacobian: Linearization,
}

impl PreparedJacobianNorm {
    /// Records the function and linearises it at a first point.
    pub(super) async fn at_point(
        options: &JacobianSpectralNorm,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        (others, tensors): (&[&Value], &[&Tensor]),
    ) -> Result<Self> {
        let samples = options.reduced(samples)?;
        let input = tape.input(samples.shape())?;
        let output = function(&input)?;
        let point: Vec<(&Value, &Tensor)> =
            [(&input, &samples)].into_iter().chain(others.iter().copied().zip(tensors.iter().copied())).collect();
        let jacobian = tape.linearize_async(&output, &input, &point).await?;
        Ok(Self { options: options.clone(), jacobian })
    }

    /// The argument of the function, as a value of the tape.
    pub fn input(&self) -> &Value {
        &self.jacobian.function.input
    }

    /// The norms at `samples`, with the values of the other inputs.
    ///
    /// *Shapes*  `samples`: that of [`JacobianSpectralNorm::prepare`] · `others`: those of the other inputs, in their
    /// order
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for other shapes; as [`Program::run`](crate::tape::Program::run) and
    /// [`crate::norm::Lanczos::norm`].
    pub fn norms_at(&mut self, samples: &Tensor, others: &[&Tensor]) -> Result<JacobianNorms> {
        let device = self.input().tape().device().clone();
        device.block_on(self.norms_at_async(samples, others, Control::default()))
    }

    /// [`PreparedJacobianNorm::norms_at`] with a control, and without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`PreparedJacobianNorm::norms_at`]; whatever the listener of the control returns.
    pub async fn norms_at_async(
        &mut self,
        samples: &Tensor,
        others: &[&Tensor],
        control: Control<'_>,
    ) -> Result<JacobianNorms> {
        let samples = self.options.reduced(samples)?;
        let point: Vec<&Tensor> = [&samples].into_iter().chain(others.iter().copied()).collect();
        self.jacobian.move_to_async(&point).await?;
        self.here_async(control).await
    }

    /// The norms where the Jacobian was taken last.
    pub(super) async fn here_async(&self, control: Control<'_>) -> Result<JacobianNorms> {
        let norms = self.options.method.norm_async(&self.jacobian, control).await?;
        let (function, point) = (Arc::clone(&self.jacobian.function), self.jacobian.point.clone());
        Ok(JacobianNorms { norms, reduction: self.options.reduction, function, point })
    }
}
