//! The function f(z, x) of an equilibrium, on any tape.

use std::fmt;
use std::sync::Arc;

use super::super::{Layer, Role, Scope, Sequential};
use super::parts::Parts;
use crate::Result;
use crate::tape::Value;

/// A function that records f(z, x) with layers by name.
type Function = dyn Fn(&Parts, &Value, &Value) -> Result<Value> + Send + Sync;

/// f with its layers, and the shape of an item of z where z differs from x.
#[derive(Clone)]
pub(super) struct Inner {
    pub(super) function: Arc<Function>,
    pub(super) layers: Sequential,
    pub(super) shape: Option<Vec<usize>>,
}

impl Inner {
    /// f(z, x), for batches.
    pub(super) fn image(&self, scope: &Scope, path: &str, z: &Value, x: &Value) -> Result<Value> {
        (self.function)(&Parts { scope, path, layers: &self.layers }, z, x)
    }

    /// The names and roles of the parameters.
    fn names(&self, path: &str) -> Vec<(String, Role)> {
        self.layers.parameters(path).into_iter().map(|parameter| (parameter.name, parameter.role)).collect()
    }

    /// The values of the parameters in a scope.
    pub(super) fn values<'a>(&self, scope: &'a Scope, path: &str) -> Result<Vec<&'a Value>> {
        self.names(path).iter().map(|(name, _)| scope.value(name)).collect()
    }

    /// f as a function of z and of others, x and then [`Inner::values`], on the tape of z.
    pub(super) fn closed(
        &self,
        path: &str,
        is_training: bool,
    ) -> impl Fn(&[Value], &Value) -> Result<Value> + Send + Sync + use<> {
        let (inner, path, names) = (self.clone(), path.to_string(), self.names(path));
        move |given, z| {
            let named = names.iter().zip(&given[1..]);
            let values = named.map(|((name, role), value)| (name.clone(), *role, value.clone())).collect();
            inner.image(&Scope::of(z.tape(), values, is_training), &path, z, &given[0])
        }
    }

    /// The shape of z for a batch x.
    pub(super) fn shape_for(&self, x: &Value) -> Vec<usize> {
        let (batch, item) = x.shape().split_at(1.min(x.shape().len()));
        [batch, self.shape.as_deref().unwrap_or(item)].concat()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layers, shape, .. } = self;
        formatter.debug_struct("Inner").field("layers", layers).field("shape", shape).finish_non_exhaustive()
    }
}
