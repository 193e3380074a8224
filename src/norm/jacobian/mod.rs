//! The spectral norms of Jacobians: how much a function can stretch a small change, sample by sample.

mod interpolation;
mod norms;
mod options;
mod prepared;
mod reduction;
mod take;

pub use interpolation::Interpolation;
pub use norms::JacobianNorms;
pub use options::JacobianSpectralNorm;
pub use prepared::PreparedJacobianNorm;
pub use reduction::Reduction;
