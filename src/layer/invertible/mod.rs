//! Invertible residual blocks y = x + g(x), and networks of them.

mod block;
mod inverse;
mod network;
mod program;
mod residual;

pub use inverse::{Inverse, InverseItem};
pub use network::InvertibleNetwork;
pub use program::InvertibleProgram;
pub use residual::InvertibleResidual;
