//! Which solver finds the spectral norm.

use crate::norm::{Control, Lanczos, Power, SpectralNorms};
use crate::{Matrix, Result};

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
    pub(super) fn norm(&self, matrix: &Matrix, control: Control<'_>) -> Result<SpectralNorms> {
        match self {
            Self::Lanczos(lanczos) => lanczos.norm_with(matrix, control),
            Self::Power(power) => power.norm_with(matrix, control),
        }
    }
}
