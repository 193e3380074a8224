//! Layers one after another.

use std::sync::Arc;

use super::description::Description;
use super::lipschitz::exactly;
use super::{Deviation, Layer, Parameter, Parameters, Scope, Standardised, join};
use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::Tensor;

/// Layers one after another, named by their numbers from 0 on, or by names of their own.
#[derive(Clone, Debug, Default)]
pub struct Sequential {
    layers: Vec<(String, Arc<dyn Layer>)>,
}

impl Sequential {
    /// No layers: the identity.
    pub fn new() -> Self {
        Self::default()
    }

    /// The layers and one more, which is named by its number.
    pub fn then(self, layer: impl Layer + 'static) -> Self {
        let name = self.layers.len().to_string();
        self.then_named(name, layer)
    }

    /// The layers and one more of some name.
    pub fn then_named(mut self, name: impl Into<String>, layer: impl Layer + 'static) -> Self {
        self.layers.push((name.into(), Arc::new(layer)));
        self
    }

    /// The layers with their paths, in order.
    pub(super) fn parts<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (String, &'a dyn Layer)> {
        self.layers.iter().map(move |(name, layer)| (join(path, name), &**layer))
    }
}

impl Layer for Sequential {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        self.parts(path).flat_map(|(path, layer)| layer.parameters(&path)).collect()
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.parts(path).try_for_each(|(path, layer)| layer.complete(&path, parameters))
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        self.parts(path).try_fold(input.clone(), |input, (path, layer)| layer.apply(scope, &path, &input))
    }

    fn describe(&self, path: &str) -> Result<Description> {
        let layer = |(number, (name, layer)): (usize, &(String, Arc<dyn Layer>))| {
            let description = layer.describe(&join(path, name))?;
            let is_numbered = *name == number.to_string();
            Ok(if is_numbered { description } else { description.led_by("name", name.as_str()) })
        };
        let layers: Vec<Description> = self.layers.iter().enumerate().map(layer).collect::<Result<_>>()?;
        Ok(Description::new("sequential").with("layers", layers))
    }

    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        self.parts(path).try_fold((Vec::new(), batch.clone()), |(mut found, batch), (path, layer)| {
            let (more, output) = layer.standardise(&path, parameters, &batch, deviation)?;
            found.extend(more);
            Ok((found, output))
        })
    }

    /// The product of the layers' bounds; the lower bound of a layer is none of the whole.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        let product = self.parts(path).try_fold(exactly(1.0), |product, (path, layer)| {
            layer.lipschitz(&path, parameters).map(|bounds| product.product(&bounds))
        })?;
        Ok(if self.layers.len() > 1 { Bounds { lower: 0.0, ..product } } else { product })
    }
}
