//! The named layers that the function of an equilibrium is made of.

use super::super::{Layer, Parameters, Scope, Sequential, join};
use crate::bound::Bounds;
use crate::tape::Value;
use crate::{Error, Result};

/// The layers of an equilibrium by name, with the parameters of a scope.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub(super) scope: &'a Scope,
    pub(super) path: &'a str,
    pub(super) layers: &'a Sequential,
}

impl Parts<'_> {
    /// The output of a layer.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a name that no layer has; as [`Layer::apply`].
    pub fn apply(&self, name: &str, input: &Value) -> Result<Value> {
        let (path, layer) = find(self.layers, self.path, name)?;
        layer.apply(self.scope, &path, input)
    }
}

/// The Lipschitz bounds of an equilibrium's layers by name.
#[derive(Clone, Copy, Debug)]
pub struct PartBounds<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) path: &'a str,
    pub(super) layers: &'a Sequential,
}

impl PartBounds<'_> {
    /// Bounds of the Lipschitz constant of a layer.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a name that no layer has; as [`Layer::lipschitz`].
    pub fn lipschitz(&self, name: &str) -> Result<Bounds> {
        let (path, layer) = find(self.layers, self.path, name)?;
        layer.lipschitz(&path, self.parameters)
    }
}

fn find<'a>(layers: &'a Sequential, path: &'a str, name: &str) -> Result<(String, &'a dyn Layer)> {
    let own = join(path, name);
    layers.parts(path).find(|(path, _)| *path == own).ok_or_else(|| Error::InvalidOption {
        operation: "equilibrium",
        option: "the name of a layer",
        value: format!("`{name}`"),
        allowed: "a name that the equilibrium was given a layer for, with `with`",
    })
}
