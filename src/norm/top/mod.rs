//! The largest few singular triplets.

mod candidate;
mod columns;
mod ritz;
mod solve;
mod triplets;

pub(in crate::norm) use ritz::{Ritz, beside, orthonormal};
pub use triplets::{Triplet, Triplets};
