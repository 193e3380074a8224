//! Which solver finds the spectral norm.

use super::Bound;
use crate::norm::{Control, Lanczos, Power, SpectralNorms};
use crate::{Error, Matrix, Result};

/// The solver, with its options.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Method {
    /// Golub-Kahan-Lanczos bidiagonalisation.
    Lanczos(Lanczos),
    /// Power iteration, the plain reference.
    Power(Power),
}

impl Default for Method {
    fn default() -> Self {
        Self::Lanczos(Lanczos::default())
    }
}

impl Method {
    /// The method with what a bound asks of it.
    pub(super) fn bounded(&self, bound: &Bound) -> Result<Self> {
        match (self, bound) {
            (Self::Lanczos(lanczos), Bound::Probabilistic { delta }) => {
                Ok(Self::Lanczos(Lanczos { delta: Some(*delta), ..lanczos.clone() }))
            }
            (Self::Power(_), Bound::Probabilistic { .. }) => Err(Error::InvalidOption {
                operation: "audit",
                option: "bound",
                value: "probabilistic".to_owned(),
                allowed: "used with the method lanczos: power iteration has no upper bound",
            }),
            _ => Ok(self.clone()),
        }
    }

    pub(super) fn norm(&self, matrix: &Matrix, control: Control<'_>) -> Result<SpectralNorms> {
        match self {
            Self::Lanczos(lanczos) => lanczos.norm_with(matrix, control),
            Self::Power(power) => power.norm_with(matrix, control),
        }
    }
}
