//! What a layer says of a tensor that it reads.

use std::sync::Arc;

use super::Initialiser;

/// The part that a tensor plays in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An optimiser moves the tensor along a gradient.
    Trained,
    /// The layer itself updates the tensor, as the vectors of a spectral normalisation.
    State,
}

/// A tensor that a layer reads: its name, shape and first values.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name, with the path of the layer.
    pub name: String,
    /// The shape.
    pub shape: Vec<usize>,
    /// The part in training.
    pub role: Role,
    /// The first values.
    pub initial: Arc<dyn Initialiser>,
}

impl Parameter {
    /// A tensor that an optimiser moves.
    pub fn trained(name: impl Into<String>, shape: &[usize], initial: impl Initialiser + 'static) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), role: Role::Trained, initial: Arc::new(initial) }
    }

    /// A tensor that its layer updates.
    pub fn state(name: impl Into<String>, shape: &[usize], initial: impl Initialiser + 'static) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), role: Role::State, initial: Arc::new(initial) }
    }
}
