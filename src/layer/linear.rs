//! Fully connected layers.

use std::sync::Arc;

use super::lipschitz::weight_bounds;
use super::standardise::{by_output, output};
use super::{
    Constant, Deviation, Initialiser, Layer, Parameter, Parameters, Parametrisation, Plain, Role, Scaled, Scope,
    Standardised, Uniform, join,
};
use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::Tensor;

/// A fully connected layer: x Wᵀ + b.
///
/// *Shapes*  input: batch × inputs · output: batch × outputs · `weight`: outputs × inputs · `bias`: outputs
#[derive(Clone, Debug)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    has_bias: bool,
    initial: Option<(Arc<dyn Initialiser>, Arc<dyn Initialiser>)>,
    parametrisation: Arc<dyn Parametrisation>,
}

impl Linear {
    /// A layer with a bias and a plain weight, which is uniform within ±1 / √inputs at first, as in PyTorch.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, has_bias: true, initial: None, parametrisation: Arc::new(Plain) }
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Self {
        Self { has_bias: false, ..self }
    }

    /// The layer with other first values of the weight, and a bias of zeros.
    pub fn initialised(self, weight: impl Initialiser + 'static) -> Self {
        Self { initial: Some((Arc::new(weight), Arc::new(Constant(0.0)))), ..self }
    }

    /// The layer with a parametrised weight.
    pub fn parametrised(self, parametrisation: impl Parametrisation + 'static) -> Self {
        Self { parametrisation: Arc::new(parametrisation), ..self }
    }

    /// The parametrisation of the weight.
    pub fn parametrisation(&self) -> &dyn Parametrisation {
        &*self.parametrisation
    }
}

impl Layer for Linear {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        let end = 1.0 / (self.inputs.max(1) as f64).sqrt();
        let default = || -> (Arc<dyn Initialiser>, Arc<dyn Initialiser>) {
            (Arc::new(Scaled::kaiming_uniform(5f64.sqrt())), Arc::new(Uniform { low: -end, high: end }))
        };
        let (weight, bias) = self.initial.clone().unwrap_or_else(default);
        let plain = Parameter {
            name: join(path, "weight"),
            shape: vec![self.outputs, self.inputs],
            role: Role::Trained,
            initial: weight,
        };
        let mut parameters = self.parametrisation.parameters(plain);
        if self.has_bias {
            let (name, shape) = (join(path, "bias"), vec![self.outputs]);
            parameters.push(Parameter { name, shape, role: Role::Trained, initial: bias });
        }
        parameters
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.parametrisation.complete(&join(path, "weight"), parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let weight = scope.weight(&join(path, "weight"), self.parametrisation())?;
        let product = input.matmul_nt(&weight)?;
        if self.has_bias { product.add(scope.value(&join(path, "bias"))?) } else { Ok(product) }
    }

    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        let scale = |factors: &[f64]| self.parametrisation.scale_units(&join(path, "weight"), parameters, factors);
        let found = by_output(self, path, parameters, batch, deviation, &scale)?;
        Ok((vec![found], output(self, path, parameters, batch)?))
    }

    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        weight_bounds(&join(path, "weight"), self.parametrisation(), parameters)
    }
}
