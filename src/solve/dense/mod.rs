//! Factors of dense matrices.

pub(super) mod condition;
pub(super) mod factors;
pub(super) mod lu;
pub(super) mod refinement;
