//! Layers of networks: parameters by name, a function on a tape, and a bound on the Lipschitz constant.
//!
//! A [`Layer`] is a plain description. It declares [`Parameter`]s by name, as checkpoints name them, and computes its
//! output from the values of a [`Scope`]. [`Parameters`] holds the tensors. State, function and update are apart, so
//! that programs of a tape stay pure: a training scope collects the next states, and the program that computes them
//! writes them.
//!
//! ```
//! use opnorm::layer::{Activation, Linear, Parameters, Scope, Sequential, SpectralNormalisation};
//! use opnorm::{Device, layer::Layer, tape::Tape, tensor::Tensor};
//! let device = Device::new()?;
//! let network = Sequential::new()
//!     .then(Linear::new(3, 4).parametrised(SpectralNormalisation::default()))
//!     .then(Activation::Relu)
//!     .then(Linear::new(4, 1));
//! let parameters = Parameters::initial(&device, &network, 7)?;
//! let tape = Tape::new(&device);
//! let scope = Scope::evaluation(&tape, &parameters)?;
//! let x = tape.input(&[2, 3])?;
//! let y = network.apply(&scope, "", &x)?;
//! let program = tape.compile(&scope.inputs(&[&x]), &[&y])?;
//! let found = program.run(&parameters.tensors(&[&Tensor::from_slice(&device, &[2, 3], &[1.0; 6])?]))?;
//! assert_eq!(found[0].shape(), [2, 1]);
//! # Ok::<(), opnorm::Error>(())
//! ```

mod activation;
mod batched;
mod bjorck;
mod conv2d;
mod description;
mod divisor;
mod equilibrium;
#[cfg(feature = "io-safetensors")]
mod file;
mod first;
mod flatten;
mod generation;
mod initial;
mod invertible;
mod linear;
mod lipschitz;
mod orthogonal;
mod parameter;
mod parameters;
mod parametrisation;
mod pointer;
mod probes;
#[cfg(feature = "io")]
pub mod pytorch;
#[cfg(feature = "io")]
pub mod quantised;
mod random;
mod scaled;
mod scope;
mod sequential;
mod spectral;
mod standardise;
mod standardised;
mod upper_bound;
mod weight_norm;
mod weighted;

pub use activation::Activation;
pub use bjorck::Bjorck;
pub use conv2d::{Conv2d, ConvTranspose2d};
pub use description::Description;
pub use divisor::Divisor;
pub use equilibrium::{Equilibrium, EquilibriumGradient, JacobianPenalty, PartBounds, Parts};
pub use flatten::Flatten;
pub use generation::Generation;
pub use initial::{Constant, Direction, Initialiser, Normal, Uniform};
#[cfg(feature = "io-safetensors")]
pub use invertible::SavedNetwork;
pub use invertible::{
    Inverse, InverseItem, InvertibleNetwork, InvertibleProgram, InvertibleResidual, LogDeterminant, LogVolume,
    NetworkDescription, Roulette,
};
pub use linear::Linear;
pub use orthogonal::Orthogonal;
pub use parameter::{Parameter, Role};
pub use parameters::Parameters;
pub use parametrisation::{Parametrisation, Plain};
pub use probes::Probes;
pub use random::Random;
pub use scaled::{Fan, Scaled};
pub use scope::Scope;
pub use sequential::Sequential;
pub use spectral::SpectralNormalisation;
pub use standardised::{Deviation, Standardised};
pub use weight_norm::WeightNormalisation;

#[cfg(feature = "io-safetensors")]
pub(crate) use file::{load_tensors, save_tensors};

use std::fmt::Debug;

use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::Tensor;

/// A layer of a network, or a network of layers.
///
/// The path of a layer is the prefix of its parameters' names: `features.0` for `features.0.weight`, empty for a layer
/// that is the whole network.
pub trait Layer: Debug + Send + Sync {
    /// The parameters that the layer reads, in the order of checkpoints.
    fn parameters(&self, path: &str) -> Vec<Parameter>;

    /// Completes parameters that depend on others, once all are drawn.
    ///
    /// # Errors
    /// Any error of the device.
    fn complete(&self, _path: &str, _parameters: &mut Parameters) -> Result<()> {
        Ok(())
    }

    /// The output for a batch of inputs, with the parameters of a scope.
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for an input that the layer does not take; [`crate::Error::InvalidOption`] for a
    /// parameter that the scope does not have.
    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value>;

    /// Scales units so that their outputs over a batch have mean 0 and standard deviation 1, and says what was found,
    /// layer by layer; layers without weights change nothing. Returns the output as well, the input of what follows.
    ///
    /// ```
    /// use opnorm::layer::{Activation, Deviation, Layer, Linear, Parameters, Sequential, WeightNormalisation};
    /// use opnorm::{Device, tensor::Tensor};
    /// let device = Device::new()?;
    /// let linear = |inputs, outputs| Linear::new(inputs, outputs).parametrised(WeightNormalisation::default());
    /// let network = Sequential::new().then(linear(2, 3)).then(Activation::Relu).then(linear(3, 1));
    /// let parameters = Parameters::initial(&device, &network, 7)?;
    /// let batch = Tensor::from_slice(&device, &[4, 2], &[0.0, 1.0, 2.0, -1.0, 3.0, 5.0, -4.0, 1.0])?;
    /// let (found, output) = network.standardise("", &parameters, &batch, Deviation::Sample)?;
    /// assert_eq!(found.iter().map(|layer| &layer.path[..]).collect::<Vec<_>>(), ["0", "2"]);
    /// assert!(output.read(&device)?.iter().sum::<f32>().abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for a parametrisation without a scale for each unit, or a batch of fewer than
    /// two samples; [`crate::Error::NoParameter`] for a layer without a bias; errors of the device.
    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        standardise::layer(self, path, parameters, batch, deviation)
    }

    /// The parametrisation of `weight`, whose first axis are the units that [`Layer::standardise`] scales; `None` for a
    /// layer without weights.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for a layer whose units have no weights of their own.
    fn units(&self, _path: &str) -> Result<Option<&dyn Parametrisation>> {
        Ok(None)
    }

    /// The description that a network's file has of the layer: its kind and its sizes, without the parameters.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for a layer without a description, which is the usual case.
    fn describe(&self, path: &str) -> Result<Description> {
        description::undescribed(path)
    }

    /// Bounds on the Lipschitz constant in the Euclidean norm, of the layer as an evaluation scope computes it in exact
    /// arithmetic.
    ///
    /// # Errors
    /// Any error of the device.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds>;
}

/// The name of a part of a layer.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}
