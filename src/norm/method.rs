//! The choice of the solver of a spectral norm.

use super::{Lanczos, Power, SpectralNorms};
use crate::iterate::Control;
use crate::operator::LinearOperator;
use crate::{Error, Result};

/// The solver, with its options.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub enum Method {
    /// Golub-Kahan-Lanczos bidiagonalisation.
    Lanczos(Lanczos),
    /// Power iteration, the reference implementation.
    Power(Power),
}

impl Default for Method {
    fn default() -> Self {
        Self::Lanczos(Lanczos::default())
    }
}

impl Method {
    /// The spectral norm of each batch item of an operator.
    ///
    /// # Errors
    /// As [`Lanczos::norm`] and [`Power::norm`].
    pub fn norm<O: LinearOperator + ?Sized>(&self, operator: &O) -> Result<SpectralNorms> {
        operator.device().block_on(self.norm_async(operator, Control::default()))
    }

    /// [`Method::norm`] with a control, and without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Lanczos::norm_async`] and [`Power::norm_async`].
    pub async fn norm_async<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        control: Control<'_>,
    ) -> Result<SpectralNorms> {
        match self {
            Self::Lanczos(lanczos) => lanczos.norm_async(operator, control).await,
            Self::Power(power) => power.norm_async(operator, control).await,
        }
    }

    /// The method, with an upper bound that fails with probability `delta`.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for power iteration, which has no such bound.
    pub fn with_probable_bound(&self, delta: f64) -> Result<Self> {
        match self {
            Self::Lanczos(lanczos) => Ok(Self::Lanczos(Lanczos { delta: Some(delta), ..lanczos.clone() })),
            Self::Power(_) => Err(Error::InvalidOption {
                operation: "power iteration",
                option: "delta",
                value: format!("{delta:e}"),
                allowed: "left out: power iteration has no upper bound, the method lanczos has",
            }),
        }
    }
}
