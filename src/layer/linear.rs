//! Fully connected layers.

use super::description::{Description, Members, Problem};
use super::lipschitz::weight_bounds;
use super::weighted::Weighted;
use super::{Initialiser, Layer, Parameter, Parameters, Parametrisation, Scope, join};
use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;

/// A fully connected layer: x Wᵀ + b.
///
/// *Shapes*  input: batch × inputs, or inputs · output: batch × outputs, or outputs · `weight`: outputs × inputs ·
/// `bias`: outputs
#[derive(Clone, Debug)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    weighted: Weighted,
}

impl Linear {
    /// A layer with a bias and a plain weight, which is uniform within ±1 / √inputs at first, as in PyTorch.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, weighted: Weighted::default() }
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Self {
        Self { weighted: self.weighted.without_bias(), ..self }
    }

    /// The layer with other first values of the weight, and a bias of zeros.
    pub fn initialised(self, weight: impl Initialiser + 'static) -> Self {
        Self { weighted: self.weighted.initialised(weight), ..self }
    }

    /// The layer with a parametrised weight.
    pub fn parametrised(self, parametrisation: impl Parametrisation + 'static) -> Self {
        Self { weighted: self.weighted.parametrised(parametrisation), ..self }
    }

    /// The layer of a description.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let (inputs, outputs) = (members.need("inputs")?, members.need("outputs")?);
        members.expect("inputs", inputs > 0, "1 or more")?;
        members.expect("outputs", outputs > 0, "1 or more")?;
        Ok(Self { inputs, outputs, weighted: Weighted::described(members)? })
    }

    /// The parametrisation of the weight.
    pub fn parametrisation(&self) -> &dyn Parametrisation {
        self.weighted.parametrisation()
    }
}

impl Layer for Linear {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        self.weighted.parameters(path, &[self.outputs, self.inputs], self.outputs)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.weighted.complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let apply = |input: &Value| self.weighted.apply(scope, path, |weight| input.matmul_nt(weight));
        match input.shape() {
            [length] => apply(&input.reshape(&[1, *length])?)?.reshape(&[self.outputs]),
            _ => apply(input),
        }
    }

    fn describe(&self, path: &str) -> Result<Description> {
        let sizes = Description::new("linear").with("inputs", self.inputs).with("outputs", self.outputs);
        self.weighted.describe(path, sizes)
    }

    fn units(&self, _: &str) -> Result<Option<&dyn Parametrisation>> {
        Ok(Some(self.parametrisation()))
    }

    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        weight_bounds(&join(path, "weight"), self.parametrisation(), parameters)
    }
}
