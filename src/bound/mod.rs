//! Statements about what is certain: bounds with their kind, balls, and arithmetic rounded to the safe side.
//!
//! An operator of your own proves its products with [`Ball`] and [`Up`]
//! ([`crate::operator::LinearOperator::enclose`]); a result then has a rigorous lower bound. `docs/bounds.md` derives
//! every inequality.

mod ball;
mod bounds;
mod decimal;
mod guarantee;
pub mod krylov;
mod rounding;
mod up;
mod vector;

pub use ball::Ball;
pub use bounds::Bounds;
pub use guarantee::{Arithmetic, Guarantee};
pub use rounding::{device_gamma, down, gamma, sum_above, up};
pub use up::Up;
pub use vector::{norm_above, norm_below};

pub(crate) use vector::dot;
