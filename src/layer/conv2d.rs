//! Convolutions and transposed convolutions.

use super::description::{Description, Members, Problem};
use super::lipschitz::convolution_bounds;
use super::weighted::Weighted;
use super::{Layer, Parameter, Parameters, Parametrisation, Scope, join};
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::Conv2dOptions;
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
    weighted: Weighted,
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
    weighted: Weighted,
}

impl Conv2d {
    /// A layer with a bias and a plain weight, with first values as in PyTorch.
    pub fn new(channels: usize, filters: usize, kernel: [usize; 2]) -> Self {
        Self { channels, filters, kernel, sliding: Conv2dOptions::default(), weighted: Weighted::default() }
    }

    /// The layer with another stride, padding, dilation or groups.
    pub fn sliding(self, sliding: Conv2dOptions) -> Self {
        Self { sliding, ..self }
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Self {
        Self { weighted: self.weighted.without_bias(), ..self }
    }

    /// The layer with a parametrised weight.
    pub fn parametrised(self, parametrisation: impl Parametrisation + 'static) -> Self {
        Self { weighted: self.weighted.parametrised(parametrisation), ..self }
    }

    /// The layer of a description.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let (channels, filters) = (members.need("channels")?, members.need("filters")?);
        let (kernel, sliding) = windows(members, ["channels", "filters"], [channels, filters])?;
        Ok(Self { channels, filters, kernel, sliding, weighted: Weighted::described(members)? })
    }
}

impl ConvTranspose2d {
    /// A layer with a bias and a plain weight, with first values as in PyTorch.
    pub fn new(inputs: usize, outputs: usize, kernel: [usize; 2]) -> Self {
        let (sliding, weighted) = (Conv2dOptions::default(), Weighted::default());
        Self { inputs, outputs, kernel, sliding, output_padding: [0, 0], weighted }
    }

    /// The layer with another stride, padding, dilation or groups, and with rows and columns beside the output.
    pub fn sliding(self, sliding: Conv2dOptions, output_padding: [usize; 2]) -> Self {
        Self { sliding, output_padding, ..self }
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Self {
        Self { weighted: self.weighted.without_bias(), ..self }
    }

    /// The layer with a parametrised weight; a spectral normalisation has axis 1 in PyTorch.
    pub fn parametrised(self, parametrisation: impl Parametrisation + 'static) -> Self {
        Self { weighted: self.weighted.parametrised(parametrisation), ..self }
    }

    /// The layer of a description.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let (inputs, outputs) = (members.need("inputs")?, members.need("outputs")?);
        let (kernel, sliding) = windows(members, ["inputs", "outputs"], [inputs, outputs])?;
        let output_padding = members.or("output_padding", [0, 0])?;
        Ok(Self { inputs, outputs, kernel, sliding, output_padding, weighted: Weighted::described(members)? })
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

impl Layer for Conv2d {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        let channels = self.channels / self.sliding.groups.max(1);
        let shape = [self.filters, channels, self.kernel[0], self.kernel[1]];
        self.weighted.parameters(path, &shape, self.filters)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.weighted.complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        self.weighted.apply(scope, path, |weight| input.conv2d(weight, &self.sliding))
    }

    fn describe(&self, path: &str) -> Result<Description> {
        let sizes = Description::new("conv2d").with("channels", self.channels).with("filters", self.filters);
        self.weighted.describe(path, with_windows(sizes, self.kernel, &self.sliding))
    }

    fn units(&self, _: &str) -> Result<Option<&dyn Parametrisation>> {
        Ok(Some(self.weighted.parametrisation()))
    }

    /// Proven bounds for images of any size: the smaller of two upper bounds. One is the sum of the norms of the
    /// weight at each element of the window. The other is the norm of the weight as a matrix of filters, times the root
    /// of the number of windows that see a pixel. The lower bound is 0.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        convolution_bounds(&join(path, "weight"), self.weighted.parametrisation(), parameters, &self.sliding)
    }
}

impl Layer for ConvTranspose2d {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        let outputs = self.outputs / self.sliding.groups.max(1);
        let shape = [self.inputs, outputs, self.kernel[0], self.kernel[1]];
        self.weighted.parameters(path, &shape, self.outputs)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.weighted.complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let size = self.size(input)?;
        self.weighted.apply(scope, path, |weight| input.conv2d_transposed(weight, &self.sliding, size))
    }

    fn describe(&self, path: &str) -> Result<Description> {
        let sizes = Description::new("conv_transpose2d").with("inputs", self.inputs).with("outputs", self.outputs);
        let windows = with_windows(sizes, self.kernel, &self.sliding);
        self.weighted.describe(path, windows.with_other("output_padding", self.output_padding, [0, 0]))
    }

    fn units(&self, path: &str) -> Result<Option<&dyn Parametrisation>> {
        // The first axis of the weight are inputs.
        Err(Error::InvalidOption {
            operation: "standardise a layer",
            option: "the layer",
            value: format!("the transposed convolution `{path}`"),
            allowed: "a linear layer or a convolution",
        })
    }

    /// As for [`Conv2d`], whose adjoint the layer is.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        convolution_bounds(&join(path, "weight"), self.weighted.parametrisation(), parameters, &self.sliding)
    }
}

/// The members of windows: `kernel`, `stride`, `padding`, `dilation` and `groups`.
fn windows(
    members: &mut Members<'_>,
    names: [&'static str; 2],
    sizes: [usize; 2],
) -> Result<([usize; 2], Conv2dOptions), Problem> {
    let (kernel, usual) = (members.need("kernel")?, Conv2dOptions::default());
    let stride = members.or("stride", usual.stride)?;
    let padding = members.or("padding", usual.padding)?;
    let dilation = members.or("dilation", usual.dilation)?;
    let groups = members.or("groups", usual.groups)?;
    for (name, pair) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
        members.expect(name, pair.iter().all(|size| *size > 0), "two numbers from 1 on")?;
    }
    members.expect("groups", groups > 0, "1 or more")?;
    for (name, size) in names.into_iter().zip(sizes) {
        members.expect(name, size > 0 && size % groups == 0, "a multiple of `groups`, which is 1 unless given")?;
    }
    Ok((kernel, Conv2dOptions { stride, padding, dilation, groups }))
}

/// A description with the members that [`windows`] reads.
fn with_windows(layer: Description, kernel: [usize; 2], sliding: &Conv2dOptions) -> Description {
    let usual = Conv2dOptions::default();
    layer
        .with("kernel", kernel)
        .with_other("stride", sliding.stride, usual.stride)
        .with_other("padding", sliding.padding, usual.padding)
        .with_other("dilation", sliding.dilation, usual.dilation)
        .with_other("groups", sliding.groups, usual.groups)
}
