//! The parts of a weight that is stored in parts.

use crate::layer::pytorch::{Estimate, StateFormat};

/// The stored parts of a weight.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stored {
    /// The format of the parts.
    pub format: StateFormat,
    /// The stored u and v, and the number that they give; `None` for weight normalisation.
    pub estimate: Option<Estimate>,
    /// A warning: vectors that are not of unit length, a stale estimate, a layer above 1.
    pub warning: Option<String>,
}
