//! A shared layer as a layer.

use std::sync::Arc;

use super::{Description, Deviation, Layer, Parameter, Parameters, Parametrisation, Scope, Standardised};
use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::Tensor;

impl<L: Layer + ?Sized> Layer for Arc<L> {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        (**self).parameters(path)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        (**self).complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        (**self).apply(scope, path, input)
    }

    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        (**self).standardise(path, parameters, batch, deviation)
    }

    fn units(&self, path: &str) -> Result<Option<&dyn Parametrisation>> {
        (**self).units(path)
    }

    fn describe(&self, path: &str) -> Result<Description> {
        (**self).describe(path)
    }

    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        (**self).lipschitz(path, parameters)
    }
}
