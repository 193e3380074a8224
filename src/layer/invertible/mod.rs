//! Invertible residual blocks y = x + g(x), and networks of them.

mod block;
mod description;
mod inverse;
mod network;
mod program;
mod residual;
#[cfg(feature = "io-safetensors")]
mod saved;

pub use description::NetworkDescription;
pub use inverse::{Inverse, InverseItem};
pub use network::InvertibleNetwork;
pub use program::InvertibleProgram;
pub use residual::InvertibleResidual;
#[cfg(feature = "io-safetensors")]
pub use saved::SavedNetwork;
