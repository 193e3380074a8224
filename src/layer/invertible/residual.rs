//! One residual block.

use std::sync::Arc;

use super::super::standardise::output;
use super::super::{Deviation, Layer, Parameter, Parameters, Scope, Standardised};
use super::copies::expect_kept;
use super::log_determinant::{LogDeterminant, LogVolume};
use super::truncation::truncation;
use crate::Result;
use crate::bound::{Bounds, Guarantee, down, up};
use crate::tape::Value;
use crate::tensor::Tensor;

/// A residual block y = x + g(x), which has an inverse where the Lipschitz constant L of g is below 1.
///
/// The parameters are those of g, under the same names. g keeps L below 1 by normalised weights: for linear layers and
/// activations of slope at most 1, `SpectralNormalisation` with a certified divisor and a `cap` below 1. For a
/// convolution the cap is divided by the root of the number of elements of its window.
///
/// *Shapes*  input and output: batch × any, which g keeps
///
/// *Source*  Behrmann, Grathwohl, Chen, Duvenaud and Jacobsen, *Invertible residual networks*, 2019, theorem 1.
#[derive(Clone, Debug)]
pub struct InvertibleResidual {
    inner: Arc<dyn Layer>,
}

impl InvertibleResidual {
    /// The block of a layer g, or of layers one after another.
    pub fn new(inner: impl Layer + 'static) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// g, whose Lipschitz constant is to be below 1.
    pub fn inner(&self) -> &dyn Layer {
        &*self.inner
    }

    /// The output, and ln |det (I + J)| with the derivative J of g at each item, by a method.
    ///
    /// All methods have derivatives of any order.
    ///
    /// *Shapes*  `input` and output: batch × any · log-volume: batch
    ///
    /// ```
    /// use opnorm::layer::{InvertibleResidual, Linear, LogDeterminant, Parameters, Probes, Scope};
    /// use opnorm::{Device, tape::Tape, tensor::Tensor};
    /// let device = Device::new()?;
    /// let block = InvertibleResidual::new(Linear::new(2, 2).without_bias());
    /// let parameters = Parameters::initial(&device, &block, 7)?;
    /// parameters.write("weight", &[0.5, 0.0, 0.0, -0.5])?; // I + J = diag(1.5, 0.5)
    /// let tape = Tape::new(&device);
    /// let scope = Scope::evaluation(&tape, &parameters)?;
    /// let x = tape.input(&[1, 2])?;
    /// let probes = tape.constant(&Probes::Signs.draw(&device, &[1, 4, 1, 2], 7, 0)?)?;
    /// let series = LogDeterminant::Series { terms: 20, probes: &probes };
    /// let (_, exact) = block.apply_with_log_determinant(&scope, "", &x, &LogDeterminant::Exact)?;
    /// let (_, estimate) = block.apply_with_log_determinant(&scope, "", &x, &series)?;
    /// let program = tape.compile(&scope.inputs(&[&x]), &[exact.value, estimate.value])?;
    /// let found = program.run(&parameters.tensors(&[&Tensor::zeros(&device, &[1, 2])?]))?;
    /// for found in &found {
    ///     assert!((found.read(&device)?[0] - 0.75f32.ln()).abs() < 1e-6);
    /// }
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for probes or weights of another shape; [`crate::Error::InvalidOption`] for no
    /// terms, or a sketch of no probes or of all; [`crate::Error::TooLarge`] for more elements than can be counted; as
    /// [`Layer::apply`].
    pub fn apply_with_log_determinant(
        &self,
        scope: &Scope,
        path: &str,
        input: &Value,
        method: &LogDeterminant,
    ) -> Result<(Value, LogVolume)> {
        let (output, samples) = self.apply_with_samples(scope, path, input, method, (0, 1))?;
        Ok((output, method.of_samples(&samples)?))
    }

    /// The output, and samples of ln |det (I + J)| for block number `block` of `blocks`: count × batch.
    pub(super) fn apply_with_samples(
        &self,
        scope: &Scope,
        path: &str,
        input: &Value,
        method: &LogDeterminant,
        (block, blocks): (usize, usize),
    ) -> Result<(Value, Value)> {
        let output = self.apply(scope, path, input)?;
        Ok((output, method.samples(self.inner(), (scope, path), input, (block, blocks))?))
    }

    /// Bounds of the distance of the first terms of the series from ln |det (I + J)|, at any item of `size` elements.
    ///
    /// The distance is at most size · Σ L^k / k over k > terms, for the upper bound L of the Lipschitz constant of g.
    /// Without an L below 1 nothing is known. Rounding on the device is not in the bounds.
    ///
    /// ```
    /// use opnorm::layer::{InvertibleResidual, Linear, Parameters};
    /// use opnorm::Device;
    /// let block = InvertibleResidual::new(Linear::new(2, 2).without_bias());
    /// let parameters = Parameters::initial(&Device::new()?, &block, 7)?;
    /// parameters.write("weight", &[-0.5, 0.0, 0.0, -0.5])?; // 2 ln 0.5 = -2 Σ 0.5^k / k
    /// let bounds = block.truncation("", &parameters, 1, 2)?;
    /// assert!((bounds.upper - 2.0 * (2f64.ln() - 0.5)).abs() < 1e-6);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Layer::lipschitz`].
    pub fn truncation(&self, path: &str, parameters: &Parameters, terms: usize, size: usize) -> Result<Bounds> {
        Ok(truncation(&self.inner.lipschitz(path, parameters)?, terms, size))
    }
}

impl Layer for InvertibleResidual {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        self.inner.parameters(path)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.inner.complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let added = self.inner.apply(scope, path, input)?;
        expect_kept(input, &added)?;
        input.add(&added)
    }

    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        let (found, _) = self.inner.standardise(path, parameters, batch, deviation)?;
        Ok((found, output(self, path, parameters, batch)?))
    }

    /// From 1 - L to 1 + L, with the upper bound L of g.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        let inner = self.inner.lipschitz(path, parameters)?;
        Ok(match inner.guarantee {
            Guarantee::None | Guarantee::Lower => Bounds::NONE,
            guarantee => Bounds { lower: down(1.0 - inner.upper).max(0.0), upper: up(1.0 + inner.upper), guarantee },
        })
    }
}
