//! Weights as functions of other parameters.

use std::fmt::Debug;

use super::{Parameter, Parameters, Scope};
use crate::Result;
use crate::tape::Value;

/// A weight as a function of other parameters, such as W / ‖W‖.
///
/// `name` is the name of the weight, `0.weight`: those of its parameters begin with it.
pub trait Parametrisation: Debug + Send + Sync {
    /// The parameters that take the place of a plain weight.
    fn parameters(&self, plain: Parameter) -> Vec<Parameter>;

    /// Completes parameters that depend on others, once all are drawn.
    ///
    /// # Errors
    /// Any error of the device.
    fn complete(&self, _name: &str, _parameters: &mut Parameters) -> Result<()> {
        Ok(())
    }

    /// The weight. In a training scope, it notes the next states.
    ///
    /// # Errors
    /// [`crate::Error::NoParameter`]; [`crate::Error::InvalidOption`].
    fn weight(&self, scope: &Scope, name: &str) -> Result<Value>;
}

/// A weight that is its own parameter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Parametrisation for Plain {
    fn parameters(&self, plain: Parameter) -> Vec<Parameter> {
        vec![plain]
    }

    fn weight(&self, scope: &Scope, name: &str) -> Result<Value> {
        scope.value(name).cloned()
    }
}
