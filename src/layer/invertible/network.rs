//! Residual blocks one after another.

use super::super::{Deviation, Layer, Parameter, Parameters, Scope, Sequential, Standardised, join};
use super::program::InvertibleProgram;
use super::residual::InvertibleResidual;
use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::Tensor;

/// Residual blocks one after another, named by their numbers from 0 on, as in a [`Sequential`].
///
/// ```
/// use opnorm::layer::{
///     Activation, Divisor, InvertibleNetwork, InvertibleResidual, Linear, Parameters, Sequential, SpectralNormalisation,
/// };
/// use opnorm::{Device, tensor::Tensor};
/// let device = Device::new()?;
/// let normalised = SpectralNormalisation {
///     divisor: Divisor::Certified,
///     cap: Some(0.5),
///     ..SpectralNormalisation::default()
/// };
/// let linear = || Linear::new(2, 2).parametrised(normalised.clone());
/// let block = || InvertibleResidual::new(Sequential::new().then(linear()).then(Activation::Tanh).then(linear()));
/// let network = InvertibleNetwork::new().then(block()).then(block());
/// let parameters = Parameters::initial(&device, &network, 7)?;
/// let mut program = network.prepare("", &parameters, &[1, 2])?;
/// let x = Tensor::from_slice(&device, &[1, 2], &[0.5, -1.0])?;
/// let inverse = program.inverse(&program.forward(&x)?)?;
/// assert!(inverse.is_converged() && inverse.items[0].error.upper < 1e-5);
/// assert!((inverse.x().read(&device)?[0] - 0.5).abs() < 1e-5);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct InvertibleNetwork {
    /// The blocks as layers, whose order and names are those of `blocks`.
    layers: Sequential,
    blocks: Vec<InvertibleResidual>,
}

impl InvertibleNetwork {
    /// No blocks: the identity.
    pub fn new() -> Self {
        Self::default()
    }

    /// The blocks and one more.
    #[must_use]
    pub fn then(mut self, block: InvertibleResidual) -> Self {
        self.blocks.push(block.clone());
        Self { layers: self.layers.then(block), ..self }
    }

    /// Compiles the network and its inverse for inputs of a shape, with the parameters as they are now, and bounds the
    /// Lipschitz constant of every block.
    ///
    /// *Shapes*  `shape`: batch × any
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for inputs that a block does not take, or whose shape a block does not keep;
    /// errors of the layers and of the device.
    pub fn prepare(&self, path: &str, parameters: &Parameters, shape: &[usize]) -> Result<InvertibleProgram> {
        let device = parameters.device();
        device.block_on(InvertibleProgram::new(self, path, parameters, shape))
    }

    /// The blocks with their paths, in order.
    pub(super) fn parts<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (String, &'a InvertibleResidual)> {
        self.blocks.iter().enumerate().map(move |(number, block)| (join(path, &number.to_string()), block))
    }
}

impl Layer for InvertibleNetwork {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        self.layers.parameters(path)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.layers.complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        self.layers.apply(scope, path, input)
    }

    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        self.layers.standardise(path, parameters, batch, deviation)
    }

    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        self.layers.lipschitz(path, parameters)
    }
}
