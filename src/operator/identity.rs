//! The identity operator.

use futures::future::{LocalBoxFuture, ready};

use super::claims::exact;
use super::{Ball, Claims, Definiteness, LinearOperator, width};
use crate::device::{Device, Recorder};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The map x ↦ x of vectors of one shape, for sums such as I + J and α I - J.
///
/// ```
/// use opnorm::operator::Identity;
/// use opnorm::{Device, Matrix, norm::spectral_norm};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[1.0, 0.0, 0.0, -3.0])?;
/// let plus = (Identity::like(&matrix)? + &matrix)?; // I + A
/// assert!((spectral_norm(&plus)?.single()?.sigma - 2.0).abs() < 1e-5);
/// let minus = ((Identity::like(&matrix)? * 2.0)? - &matrix)?; // 2 I - A
/// assert!((spectral_norm(&minus)?.single()?.sigma - 5.0).abs() < 1e-5);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Identity {
    device: Device,
    batch: usize,
    shape: Vec<usize>,
}

impl Identity {
    /// The identity of vectors of a shape, once for each batch item.
    pub fn new(device: &Device, batch: usize, shape: &[usize]) -> Self {
        Self { device: device.clone(), batch, shape: shape.to_vec() }
    }

    /// The identity with the batch and the domain of an operator.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when its codomain is another.
    pub fn like<O: LinearOperator + ?Sized>(operator: &O) -> Result<Self> {
        let (domain, codomain) = (operator.domain(), operator.codomain());
        if domain != codomain {
            return Err(Error::ShapeMismatch {
                operation: "identity",
                expected: format!("an operator from {domain:?} to itself"),
                found: format!("{codomain:?}"),
            });
        }
        Ok(Self::new(operator.device(), operator.batch(), &domain))
    }
}

impl LinearOperator for Identity {
    fn device(&self) -> &Device {
        &self.device
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn domain(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn codomain(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        width("identity", self.batch, &self.shape, input)?;
        recorder.copy(input.buffer(), output.buffer())
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.apply(recorder, input, output)
    }

    fn claims(&self) -> Claims {
        // The norm of a map of no numbers is 0.
        let norm = if volume(&self.shape) == 0 { 0.0 } else { 1.0 };
        let claims = Claims::default().with_definiteness(Definiteness::Definite).with_norm(exact(norm, norm));
        claims.with_smallest(exact(norm, norm)).with_distance_from_identity(exact(0.0, 0.0))
    }

    fn enclose<'a>(&'a self, _item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(ready(Ok(Some(input))))
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        self.enclose(item, input)
    }
}
