//! Equilibrium layers: the output z solves z = f(z, x).

mod gradient;
mod inner;
mod jacobian;
mod layer;
mod map;
mod parts;
mod penalty;

pub use gradient::EquilibriumGradient;
pub use layer::Equilibrium;
pub use parts::{PartBounds, Parts};
pub use penalty::JacobianPenalty;
