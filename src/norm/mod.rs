//! Norms of operators: the spectral norm by Lanczos or power iteration, its gradient, and the cheap norms of matrices.

mod cheap;
mod cheap_sparse;
mod copies;
mod dense;
mod differentiable;
mod finish;
mod gradient;
mod jacobian;
mod lanczos;
mod method;
mod power;
mod quotient;
mod result;
mod search;
mod stop;
mod top;
mod whole;

pub use crate::bound::{Arithmetic, Bounds, Guarantee};
pub use crate::iterate::{Control, Progress, Status, seed_from_system};
pub use cheap::{CheapNorms, cheap_norms};
pub use dense::{frobenius_norm, frobenius_norm_gradient, infinity_norm, one_norm};
pub use jacobian::{Interpolation, JacobianNorms, JacobianSpectralNorm, PreparedJacobianNorm, Reduction};
pub use lanczos::Lanczos;
pub use method::Method;
pub use power::{Power, PowerForm, Start};
pub use result::{Residual, SpectralNorm, SpectralNorms};
pub use search::{JacobianSearch, Region, Steepest};
pub use stop::Stop;
pub use top::{Triplet, Triplets};

use crate::Result;
use crate::operator::LinearOperator;

/// The spectral norm ‖A‖₂ = max |Ax| / |x| of each item of an operator, by [`Lanczos`] with its defaults.
///
/// ```
/// use opnorm::{Device, Matrix, norm::spectral_norm};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 3, &[3.0, 0.0, 0.0, 0.0, -4.0, 0.0])?;
/// let norms = spectral_norm(&matrix)?;
/// let item = norms.single()?;
/// assert!((item.sigma - 4.0).abs() < 1e-6);
/// assert!(item.bounds.lower <= 4.0);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// As [`Lanczos::norm`].
pub fn spectral_norm<O: LinearOperator + ?Sized>(operator: &O) -> Result<SpectralNorms> {
    Lanczos::default().norm(operator)
}
