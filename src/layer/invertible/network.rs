//! Residual blocks one after another.

use super::super::batched::batched;
use super::super::lipschitz::exactly;
use super::super::{Deviation, Layer, Parameter, Parameters, Scope, Sequential, Standardised, join};
use super::log_determinant::{LogDeterminant, LogVolume};
use super::residual::InvertibleResidual;
use crate::Result;
use crate::bound::{Bounds, Up};
use crate::tape::Value;
use crate::tensor::Tensor;

/// Residual blocks one after another, named by their numbers from 0 on, as in a [`Sequential`].
///
/// ```
/// use opnorm::layer::{Activation, Divisor, InvertibleNetwork, InvertibleResidual, Linear, Parameters};
/// use opnorm::layer::{Sequential, SpectralNormalisation};
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

    /// The output, and ln |det| of its derivative at each item: the sum over the blocks, by one method for all.
    ///
    /// The standard error is that of the sums, one for each probe.
    ///
    /// *Shapes*  as [`InvertibleResidual::apply_with_log_determinant`]
    ///
    /// ```
    /// use opnorm::layer::{InvertibleNetwork, InvertibleResidual, Linear, LogDeterminant, Parameters, Scope};
    /// use opnorm::{Device, tape::Tape, tensor::Tensor};
    /// let device = Device::new()?;
    /// let network = InvertibleNetwork::new().then(InvertibleResidual::new(Linear::new(2, 2).without_bias()));
    /// let parameters = Parameters::initial(&device, &network, 7)?;
    /// parameters.write("0.weight", &[0.5, 0.0, 0.0, -0.5])?; // I + J = diag(1.5, 0.5)
    /// let tape = Tape::new(&device);
    /// let scope = Scope::evaluation(&tape, &parameters)?;
    /// let x = tape.input(&[1, 2])?;
    /// let (_, volume) = network.apply_with_log_determinant(&scope, "", &x, &LogDeterminant::Exact)?;
    /// let program = tape.compile(&scope.inputs(&[&x]), &[volume.value])?;
    /// let found = program.run(&parameters.tensors(&[&Tensor::zeros(&device, &[1, 2])?]))?;
    /// assert!((found[0].read(&device)?[0] - 0.75f32.ln()).abs() < 1e-6);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`InvertibleResidual::apply_with_log_determinant`].
    pub fn apply_with_log_determinant(
        &self,
        scope: &Scope,
        path: &str,
        input: &Value,
        method: &LogDeterminant,
    ) -> Result<(Value, LogVolume)> {
        let (mut point, mut sum) = (input.clone(), None::<Value>);
        for (block, (path, residual)) in self.parts(path).enumerate() {
            let place = (block, self.blocks.len());
            let (output, samples) = residual.apply_with_samples(scope, &path, &point, method, place)?;
            sum = Some(sum.map_or(Ok(samples.clone()), |sum| sum.add(&samples))?);
            point = output;
        }
        let volume = match sum {
            Some(samples) => method.of_samples(&samples)?,
            // The identity, whose determinant is 1 by any method.
            None => LogDeterminant::Exact.of_samples(&scope.tape().fill(&[1, batched(input)?.shape()[0]], 0.0)?)?,
        };
        Ok((point, volume))
    }

    /// Bounds of the distance of the first terms of the series from ln |det|: the sum over the blocks, as
    /// [`InvertibleResidual::truncation`].
    ///
    /// # Errors
    /// As [`Layer::lipschitz`].
    pub fn truncation(&self, path: &str, parameters: &Parameters, terms: usize, size: usize) -> Result<Bounds> {
        self.parts(path).try_fold(exactly(0.0), |sum, (path, block)| {
            let own = block.truncation(&path, parameters, terms, size)?;
            let upper = (Up::of(sum.upper) + Up::of(own.upper)).value();
            Ok(Bounds { lower: 0.0, upper, guarantee: sum.guarantee.and(own.guarantee) })
        })
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
