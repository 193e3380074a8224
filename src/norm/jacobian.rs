//! The spectral norms of Jacobians: how much a function can stretch a small change, sample by sample.

use std::fmt;
use std::str::FromStr;

use super::{JacobianNorms, Method, PreparedJacobianNorm};
use crate::iterate::Control;
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The spectral norm ‖J(x)‖₂ of the Jacobian of a function at each sample x of a batch.
///
/// The function is recorded on a [`Tape`], and its Jacobian is an operator whose products are replayed: nothing is formed, and
/// nothing is recorded again for another product. Each sample stops for itself. A Jacobian proves nothing of its products: there are
/// no bounds unless the method has a `delta`, whose bounds fail with that probability.
///
/// ```
/// use opnorm::norm::{JacobianSpectralNorm, Reduction};
/// use opnorm::{Gpu, tape::Tape, tensor::Tensor};
/// let gpu = Gpu::new()?;
/// let tape = Tape::new(&gpu);
/// let weight = tape.input(&[2, 2])?;
/// let values = Tensor::from_slice(&gpu, &[2, 2], &[3.0, 0.0, 0.0, 1.0])?;
/// let samples = Tensor::zeros(&gpu, &[5, 2])?;
/// let norm = JacobianSpectralNorm { reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
/// let found = norm.of(&tape, |x| x.matmul(&weight)?.tanh(), &samples, &[(&weight, &values)])?;
/// assert!((found.reduced().unwrap() - 15.0).abs() < 1e-4);
/// // d/dW of the sum: every sample adds u vᵀ of its own
/// let gradient = found.gradient(&[&weight])?[0].read(&gpu)?;
/// assert!((gradient[0] - 5.0).abs() < 1e-3 && gradient[3].abs() < 1e-3);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JacobianSpectralNorm {
    /// The solver: its tolerance, iterations and seed, and with `delta` an upper bound for each sample.
    pub method: Method,
    /// What becomes of the norms of the samples.
    pub reduction: Reduction,
    /// Takes the first so many samples alone, which are no different for it; all where there are fewer.
    pub reduced_batch: Option<usize>,
}

/// What becomes of the norms of the samples of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// The largest.
    #[default]
    Max,
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// They stay as they are.
    None,
}

impl Reduction {
    const NAMES: [(&'static str, Self); 4] =
        [("max", Self::Max), ("mean", Self::Mean), ("sum", Self::Sum), ("none", Self::None)];

    /// `max`, `mean`, `sum` or `none`.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, reduction)| *reduction == self).map_or("none", |(name, _)| name)
    }
}

/// As [`Reduction::as_str`].
impl fmt::Display for Reduction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// From `max`, `mean`, `sum` or `none`.
impl FromStr for Reduction {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::NAMES.iter().find(|(other, _)| *other == name);
        known.map(|(_, reduction)| *reduction).ok_or_else(|| Error::InvalidOption {
            operation: "Jacobian norm",
            option: "reduction",
            value: name.to_owned(),
            allowed: "max, mean, sum or none",
        })
    }
}

impl JacobianSpectralNorm {
    /// The norms for `function` at `samples`, with what its other inputs are.
    ///
    /// The function gets its argument from here, so that there is no way to differentiate with respect to something else. It
    /// must map each sample by itself, and is refused where it does not at these samples. Where samples or weights change again and again, [`JacobianSpectralNorm::prepare`] records
    /// and compiles once for all of them.
    ///
    /// *Shapes*  `samples`: batch × any · the function's value: batch × any
    ///
    /// # Errors
    /// Whatever the function returns; as [`Tape::linearize`] and [`super::Lanczos::norm`].
    pub fn of(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
    ) -> Result<JacobianNorms> {
        self.of_with(tape, function, samples, others, Control::default())
    }

    /// [`JacobianSpectralNorm::of`] with a warm start and a callback.
    ///
    /// # Errors
    /// As [`JacobianSpectralNorm::of`]; [`Error::Cancelled`] when the callback says so.
    pub fn of_with(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
        control: Control<'_>,
    ) -> Result<JacobianNorms> {
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) = others.iter().copied().unzip();
        let prepared = PreparedJacobianNorm::at_point(self, tape, function, samples, (&values, &tensors))?;
        tape.gpu().block_on(prepared.here_async(control))
    }

    /// The norms for 2 f - 1, f being `function`: none is above 1 exactly if f is firmly nonexpansive at the samples
    /// (Pesquet, Repetti, Terris and Wiaux, *Learning maximally monotone operators for image recovery*, 2021).
    ///
    /// [`interpolate`] gives samples between two batches, as training takes them.
    ///
    /// *Shapes*  the function's value: that of its argument
    ///
    /// # Errors
    /// As [`JacobianSpectralNorm::of`].
    pub fn of_reflection(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
    ) -> Result<JacobianNorms> {
        let reflection = |input: &Value| {
            let value = function(input)?;
            if value.shape() != input.shape() {
                return Err(Error::ShapeMismatch {
                    operation: "reflection",
                    expected: format!("a function's value of the shape of its argument, {:?}", input.shape()),
                    found: format!("{:?}", value.shape()),
                });
            }
            value.scale(2.0)?.subtract(input)
        };
        self.of(tape, reflection, samples, others)
    }

    /// Records `function` and its derivatives once, to take the norms at any samples and values of its other inputs.
    ///
    /// *Shapes*  `samples`: batch × any, that of all samples to come · the function's value: batch × any
    ///
    /// # Errors
    /// As [`JacobianSpectralNorm::of`].
    pub fn prepare(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &[usize],
        others: &[&Value],
    ) -> Result<PreparedJacobianNorm> {
        let gpu = tape.gpu();
        let zeros = |shape: &[usize]| Tensor::zeros(gpu, shape);
        let tensors: Vec<Tensor> = others.iter().map(|other| zeros(other.shape())).collect::<Result<_>>()?;
        let tensors: Vec<&Tensor> = tensors.iter().collect();
        PreparedJacobianNorm::at_point(self, tape, function, &zeros(samples)?, (others, &tensors))
    }

    /// The samples that are looked at.
    pub(super) fn reduced(&self, samples: &Tensor) -> Result<Tensor> {
        match (self.reduced_batch, samples.shape()) {
            (Some(wanted), [batch, rest @ ..]) if wanted < *batch => {
                let size: usize = rest.iter().product();
                Tensor::from_buffer(samples.buffer().slice(0..wanted * size), &[&[wanted], rest].concat())
            }
            _ => Ok(samples.clone()),
        }
    }
}

/// Samples between two batches, each at a place of its own, drawn uniformly: η x + (1 - η) y.
///
/// *Shapes*  both, and the result: batch × any
///
/// # Errors
/// [`Error::ShapeMismatch`] when the shapes differ; [`Error::DeviceLost`].
pub fn interpolate(tape: &Tape, left: &Tensor, right: &Tensor, seed: u64) -> Result<Tensor> {
    if left.shape() != right.shape() {
        return Err(Error::ShapeMismatch {
            operation: "interpolate",
            expected: format!("samples of shape {:?}", left.shape()),
            found: format!("{:?}", right.shape()),
        });
    }
    let (x, y) = (tape.input(left.shape())?, tape.input(right.shape())?);
    let batch = left.shape().first().copied().unwrap_or(1);
    let places: Vec<f32> = crate::iterate::uniform_places(seed, batch);
    let places =
        tape.constant(&Tensor::from_slice(tape.gpu(), &super::jacobian_norms::column(left.shape()), &places)?)?;
    let between = x.subtract(&y)?.multiply(&places)?.add(&y)?;
    let mut results = tape.compile(&[&x, &y], &[between])?.run(&[left, right])?;
    results.pop().map_or_else(|| Tensor::zeros(tape.gpu(), left.shape()), Ok)
}
