//! Invertible residual blocks y = x + g(x), and networks of them.
//!
//! ln |det (I + J)|, with the derivative J of g, has a method a file: [`exact`], [`logarithm`] with [`roulette`], and
//! [`hutch_plus_plus`]. All take products of J from [`copies`].

mod block;
mod copies;
mod description;
mod exact;
mod hutch_plus_plus;
mod inverse;
mod log_determinant;
mod logarithm;
mod network;
mod orthonormal;
mod program;
mod residual;
mod roulette;
#[cfg(feature = "io-safetensors")]
mod saved;
mod truncation;

pub use description::NetworkDescription;
pub use inverse::{Inverse, InverseItem};
pub use log_determinant::{LogDeterminant, LogVolume};
pub use network::InvertibleNetwork;
pub use program::InvertibleProgram;
pub use residual::InvertibleResidual;
pub use roulette::Roulette;
#[cfg(feature = "io-safetensors")]
pub use saved::SavedNetwork;
