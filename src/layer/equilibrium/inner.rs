//! The function f(z, x) of an equilibrium, on any tape.

use std::sync::Arc;
use std::{fmt, iter};

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

    /// The values of the parameters in a scope, and of the weights that the scope made of them.
    pub(super) fn values(&self, scope: &Scope, path: &str) -> Result<Vec<Value>> {
        let names = self.names(path);
        let mut values = names.iter().map(|(name, _)| scope.value(name).cloned()).collect::<Result<Vec<_>>>()?;
        values.extend(scope.made(path).into_iter().flat_map(|(_, weight, divisor)| iter::once(weight).chain(divisor)));
        Ok(values)
    }

    /// f as a function of z and of others, x and then [`Inner::values`], on the tape of z.
    ///
    /// The weights of `scope` are given, so that a normalisation is computed once a run, and not once for each tape.
    pub(super) fn closed(
        &self,
        scope: &Scope,
        path: &str,
    ) -> impl Fn(&[Value], &Value) -> Result<Value> + Send + Sync + use<> {
        let (inner, path, names) = (self.clone(), path.to_string(), self.names(path));
        let made: Vec<(String, bool)> =
            scope.made(&path).into_iter().map(|(name, _, divisor)| (name, divisor.is_some())).collect();
        let is_training = scope.is_training();
        move |given, z| {
            let (parameters, mut weights) = given[1..].split_at(names.len());
            let named = names.iter().zip(parameters);
            let values = named.map(|((name, role), value)| (name.clone(), *role, value.clone())).collect();
            let scope = Scope::of(z.tape(), values, is_training);
            for (name, is_divided) in &made {
                let (own, rest) = weights.split_at(1 + usize::from(*is_divided));
                scope.once(name, || Ok((own[0].clone(), own.get(1).cloned())))?;
                weights = rest;
            }
            inner.image(&scope, &path, z, &given[0])
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
