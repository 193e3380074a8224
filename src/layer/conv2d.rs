//! Convolutions and transposed convolutions.

use std::sync::Arc;

use super::lipschitz::convolution_bounds;
use super::standardise::{by_output, output};
use super::{
    Deviation, Initialiser, Layer, Parameter, Parameters, Parametrisation, Plain, Role, Scaled, Scope, Standardised,
    Uniform, join,
};
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::{Conv2dOptions, Tensor};
use crate::{Error, Result};

/// A convolution as networks have it, a cross-correlation, with a bias for each filter.
///
/// *Shapes*  input: batch × channels × height × width · output: batch × filters × height × width, as
/// [`Value::conv2d`] says · `weight`: filters × channels / groups × kernel height × kernel width · `bias`: filters
#[derive(Clone, Debug)]
pub struct Conv2d {
    channels: usize,
    filters: usize,
    kernel: [usize; 2],
    sliding: Conv2dOptions,
    has_bias: bool,
    parametrisation: Arc<dyn Parametrisation>,
}

/// The adjoint of a convolution, with a bias for each output channel.
///
/// *Shapes*  input: batch × inputs × height × width · output: batch × outputs × (height - 1) stride - 2 padding +
/// dilation (kernel height - 1) + 1 + output padding, and likewise for the width · `weight`: inputs × outputs / groups
/// × kernel height × kernel width · `bias`: outputs
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
    sliding: Conv2dOptions,
    output_padding: [usize; 2],
    has_bias: bool,
    parametrisation: Arc<dyn Parametrisation>,
}

impl Conv2d {
    /// A layer with a bias and a plain weight, with first values as in PyTorch.
    pub fn new(channels: usize, filters: usize, kernel: [usize; 2]) -> Self {
        let sliding = Conv2dOptions::default();
        Self { channels, filters, kernel, sliding, has_bias: true, parametrisation: Arc::new(Plain) }
    }

    /// The layer with another stride, padding, dilation or groups.
    pub fn sliding(self, sliding: Conv2dOptions) -> Self {
        Self { sliding, ..self }
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Self {
        Self { has_bias: false, ..self }
    }

    /// The layer with a parametrised weight.
    pub fn parametrised(self, parametrisation: impl Parametrisation + 'static) -> Self {
        Self { parametrisation: Arc::new(parametrisation), ..self }
    }
}

impl ConvTranspose2d {
    /// A layer with a bias and a plain weight, with first values as in PyTorch.
    pub fn new(inputs: usize, outputs: usize, kernel: [usize; 2]) -> Self {
        let sliding = Conv2dOptions::default();
        let parametrisation = Arc::new(Plain);
        Self { inputs, outputs, kernel, sliding, output_padding: [0, 0], has_bias: true, parametrisation }
    }

    /// The layer with another stride, padding, dilation or groups, and with rows and columns beside the output.
    pub fn sliding(self, sliding: Conv2dOptions, output_padding: [usize; 2]) -> Self {
        Self { sliding, output_padding, ..self }
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Self {
        Self { has_bias: false, ..self }
    }

    /// The layer with a parametrised weight; a spectral normalisation has axis 1 in PyTorch.
    pub fn parametrised(self, parametrisation: impl Parametrisation + 'static) -> Self {
        Self { parametrisation: Arc::new(parametrisation), ..self }
    }

    fn size(&self, input: &Value) -> Result<[usize; 2]> {
        let [_, _, height, width] = *input.shape() else {
            return Err(Error::ShapeMismatch {
                operation: "transposed convolution",
                expected: "batch × channels × height × width".to_string(),
                found: format!("{:?}", input.shape()),
            });
        };
        let Conv2dOptions { stride, padding, dilation, .. } = self.sliding.clone();
        let along = |axis: usize, input: usize| {
            let window = dilation[axis] * self.kernel[axis].saturating_sub(1) + 1 + self.output_padding[axis];
            (input.saturating_sub(1) * stride[axis] + window).saturating_sub(2 * padding[axis])
        };
        Ok([along(0, height), along(1, width)])
    }
}

/// The parameters of a convolution whose weight is `shape`.
fn declared(path: &str, shape: [usize; 4], bias: Option<usize>, how: &dyn Parametrisation) -> Vec<Parameter> {
    let weight: Arc<dyn Initialiser> = Arc::new(Scaled::kaiming_uniform(5f64.sqrt()));
    let name = join(path, "weight");
    let plain = Parameter { name, shape: shape.to_vec(), role: Role::Trained, initial: weight };
    let end = 1.0 / ((shape[1] * shape[2] * shape[3]).max(1) as f64).sqrt();
    let bias = bias.map(|size| Parameter::trained(join(path, "bias"), &[size], Uniform { low: -end, high: end }));
    how.parameters(plain).into_iter().chain(bias).collect()
}

fn with_bias(output: Value, scope: &Scope, path: &str, has_bias: bool) -> Result<Value> {
    if !has_bias {
        return Ok(output);
    }
    let bias = scope.value(&join(path, "bias"))?;
    output.add(&bias.reshape(&[bias.shape()[0], 1, 1])?)
}

impl Layer for Conv2d {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        let channels = self.channels / self.sliding.groups.max(1);
        let shape = [self.filters, channels, self.kernel[0], self.kernel[1]];
        declared(path, shape, self.has_bias.then_some(self.filters), &*self.parametrisation)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.parametrisation.complete(&join(path, "weight"), parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let weight = scope.weight(&join(path, "weight"), &*self.parametrisation)?;
        with_bias(input.conv2d(&weight, &self.sliding)?, scope, path, self.has_bias)
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

    /// Proven bounds for images of any size: the smaller of two upper bounds. One is the sum of the norms of the
    /// weight at each element of the window. The other is the norm of the weight as a matrix of filters, times the root
    /// of the number of windows that see a pixel. The lower bound is 0.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        convolution_bounds(&join(path, "weight"), &*self.parametrisation, parameters, &self.sliding)
    }
}

impl Layer for ConvTranspose2d {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        let outputs = self.outputs / self.sliding.groups.max(1);
        let shape = [self.inputs, outputs, self.kernel[0], self.kernel[1]];
        declared(path, shape, self.has_bias.then_some(self.outputs), &*self.parametrisation)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.parametrisation.complete(&join(path, "weight"), parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let weight = scope.weight(&join(path, "weight"), &*self.parametrisation)?;
        let output = input.conv2d_transposed(&weight, &self.sliding, self.size(input)?)?;
        with_bias(output, scope, path, self.has_bias)
    }

    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        // The first axis of the weight are inputs.
        let refuse = |_: &[f64]| {
            Err(Error::InvalidOption {
                operation: "standardise a layer",
                option: "the layer",
                value: format!("the transposed convolution `{path}`"),
                allowed: "a linear layer or a convolution",
            })
        };
        let found = by_output(self, path, parameters, batch, deviation, &refuse)?;
        Ok((vec![found], output(self, path, parameters, batch)?))
    }

    /// As for [`Conv2d`], whose adjoint the layer is.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        convolution_bounds(&join(path, "weight"), &*self.parametrisation, parameters, &self.sliding)
    }
}
