//! A weight and a bias: the parameters that linear layers and convolutions share.

use std::sync::Arc;

use super::description::{Description, Members, Problem, weight};
use super::{Constant, Initialiser, Parameter, Parameters, Parametrisation, Plain, Role, Scaled, Scope, Uniform, join};
use crate::Result;
use crate::tape::Value;
use crate::tensor::volume;

/// A weight, perhaps parametrised, and perhaps a bias.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    has_bias: bool,
    /// The first values of the weight, beside a bias of zeros; `None` for those of PyTorch.
    initial: Option<Arc<dyn Initialiser>>,
    parametrisation: Arc<dyn Parametrisation>,
}

impl Default for Weighted {
    fn default() -> Self {
        Self { has_bias: true, initial: None, parametrisation: Arc::new(Plain) }
    }
}

impl Weighted {
    /// The members `bias` and `weight` of a description.
    pub fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let (has_bias, parametrisation) = (members.or("bias", true)?, weight(members, "weight")?);
        Ok(Self { has_bias, initial: None, parametrisation })
    }

    /// A layer's description with the members `bias` and `weight`, where they are not the usual ones.
    pub fn describe(&self, path: &str, layer: Description) -> Result<Description> {
        let weight = self.parametrisation.describe(&join(path, "weight"))?;
        let layer = layer.with_other("bias", self.has_bias, true);
        Ok(layer.with_other("weight", weight, Plain.describe("")?))
    }

    pub fn without_bias(self) -> Self {
        Self { has_bias: false, ..self }
    }

    pub fn initialised(self, weight: impl Initialiser + 'static) -> Self {
        Self { initial: Some(Arc::new(weight)), ..self }
    }

    pub fn parametrised(self, parametrisation: impl Parametrisation + 'static) -> Self {
        Self { parametrisation: Arc::new(parametrisation), ..self }
    }

    pub fn parametrisation(&self) -> &dyn Parametrisation {
        &*self.parametrisation
    }

    /// The parameters of a layer with `outputs` units.
    ///
    /// *Shapes*  `shape`: outputs, or inputs of a transposed convolution, × those of the other side × any window
    pub fn parameters(&self, path: &str, shape: &[usize], outputs: usize) -> Vec<Parameter> {
        let end = 1.0 / (volume(&shape[1..]).max(1) as f64).sqrt();
        let (weight, bias): (Arc<dyn Initialiser>, Arc<dyn Initialiser>) = match &self.initial {
            Some(weight) => (Arc::clone(weight), Arc::new(Constant(0.0))),
            None => (Arc::new(Scaled::kaiming_uniform(5f64.sqrt())), Arc::new(Uniform { low: -end, high: end })),
        };
        let trained = |name, shape: &[usize], initial| Parameter {
            name: join(path, name),
            shape: shape.to_vec(),
            role: Role::Trained,
            initial,
        };
        let mut parameters = self.parametrisation.parameters(trained("weight", shape, weight));
        if self.has_bias {
            parameters.push(trained("bias", &[outputs], bias));
        }
        parameters
    }

    pub fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.parametrisation.complete(&join(path, "weight"), parameters)
    }

    /// The product of an input and the weight, with the bias.
    ///
    /// *Shapes*  result of `product`: batch × units × any axes
    pub fn apply(&self, scope: &Scope, path: &str, product: impl Fn(&Value) -> Result<Value>) -> Result<Value> {
        let (name, how) = (join(path, "weight"), self.parametrisation());
        let (tensor, divisor) = scope.quotient(&name, how)?;
        let undivided = product(&tensor)?;
        let output = match divisor {
            None => undivided,
            Some(_) if volume(undivided.shape()) >= volume(tensor.shape()) => product(&scope.weight(&name, how)?)?,
            Some(divisor) => undivided.divide(&divisor.reshape(&vec![1; undivided.shape().len()])?)?,
        };
        if !self.has_bias {
            return Ok(output);
        }
        let bias = scope.value(&join(path, "bias"))?;
        let axes = output.shape().len().saturating_sub(2);
        output.add(&bias.reshape(&[bias.shape(), &vec![1; axes]].concat())?)
    }
}
