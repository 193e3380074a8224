//! The spectral norms of Jacobians: how much a function can stretch a small change, sample by sample.

use std::fmt;
use std::str::FromStr;

use super::control::Control;
use super::{Method, SpectralNorms};
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The spectral norm ‖J(x)‖₂ of the Jacobian of a function at each sample x of a batch.
///
/// The function is recorded on a [`Tape`], and its Jacobian is an operator whose products are replayed: nothing is formed, and
/// nothing is recorded again for another product. Each sample stops for itself.
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
    /// must map each sample by itself.
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
        let samples = self.reduced(samples)?;
        let input = tape.input(samples.shape())?;
        let output = function(&input)?;
        let mut point = vec![(input.clone(), samples)];
        point.extend(others.iter().map(|(value, tensor)| ((*value).clone(), (*tensor).clone())));
        let borrowed: Vec<(&Value, &Tensor)> = point.iter().map(|(value, tensor)| (value, tensor)).collect();
        let jacobian = tape.linearize(&output, &input, &borrowed)?;
        let norms = self.method.norm(&jacobian, control)?;
        Ok(JacobianNorms { norms, reduction: self.reduction, input, output, point })
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
        self.of(tape, |input| function(input)?.scale(2.0)?.subtract(input), samples, others)
    }

    /// The samples that are looked at.
    fn reduced(&self, samples: &Tensor) -> Result<Tensor> {
        match (self.reduced_batch, samples.shape()) {
            (Some(wanted), [batch, rest @ ..]) if wanted < *batch => {
                let size: usize = rest.iter().product();
                Tensor::from_buffer(samples.buffer().slice(0..wanted * size), &[&[wanted], rest].concat())
            }
            _ => Ok(samples.clone()),
        }
    }
}

/// What [`JacobianSpectralNorm`] found, and what its gradient needs.
#[derive(Debug)]
pub struct JacobianNorms {
    norms: SpectralNorms,
    reduction: Reduction,
    input: Value,
    output: Value,
    point: Vec<(Value, Tensor)>,
}

impl JacobianNorms {
    /// The norm of each sample, with its singular vectors, status and bounds.
    pub fn norms(&self) -> &SpectralNorms {
        &self.norms
    }

    /// The argument of the function, as a value of the tape: what a gradient with respect to the samples is taken of.
    pub fn input(&self) -> &Value {
        &self.input
    }

    /// The norms as one number; `None` for [`Reduction::None`]. NaN where one of them is, 0 for an empty batch.
    pub fn reduced(&self) -> Option<f64> {
        let sigmas = self.norms.items().iter().map(|item| item.sigma);
        let count = sigmas.len().max(1) as f64;
        match self.reduction {
            // f64::max would pass over a NaN.
            Reduction::Max => {
                Some(sigmas.fold(0.0, |most: f64, sigma| if sigma > most || sigma.is_nan() { sigma } else { most }))
            }
            Reduction::Mean => Some(sigmas.sum::<f64>() / count),
            Reduction::Sum => Some(sigmas.sum()),
            Reduction::None => None,
        }
    }

    /// The gradient of the reduced norm with respect to samples ([`JacobianNorms::input`]) and other inputs of the function.
    ///
    /// With u and v the singular vectors found, d‖J‖ = d(uᵀ J v): one reverse sweep over one JVP, whatever the number of
    /// iterations was. It is exact where the vectors are; [`super::SpectralNorm::gradient_error`] tells how far they may be off.
    ///
    /// *Shapes*  result: those of `inputs`
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for [`Reduction::None`], which [`JacobianNorms::gradient_along`] serves; whatever the device says.
    pub fn gradient(&self, inputs: &[&Value]) -> Result<Vec<Tensor>> {
        let items = self.norms.items();
        let count = items.len();
        let weights = match self.reduction {
            Reduction::Sum => vec![1.0; count],
            Reduction::Mean => vec![1.0 / count.max(1) as f64; count],
            Reduction::Max => {
                let largest = (0..count).max_by(|left, right| items[*left].sigma.total_cmp(&items[*right].sigma));
                (0..count).map(|item| if Some(item) == largest { 1.0 } else { 0.0 }).collect()
            }
            Reduction::None => {
                return Err(Error::InvalidOption {
                    operation: "gradient of a Jacobian norm",
                    option: "reduction",
                    value: "none".to_owned(),
                    allowed: "max, mean or sum; `gradient_along` takes a weight for each sample",
                });
            }
        };
        self.gradient_along(&weights, inputs)
    }

    /// The gradient of the sum of the norms, each times its weight.
    ///
    /// *Shapes*  `weights`: one a sample · result: those of `inputs`
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of weights; as [`JacobianNorms::gradient`].
    pub fn gradient_along(&self, weights: &[f64], inputs: &[&Value]) -> Result<Vec<Tensor>> {
        let tape = self.input.tape();
        let batch = self.norms.items().len();
        if weights.len() != batch {
            return Err(Error::ShapeMismatch {
                operation: "gradient of a Jacobian norm",
                expected: format!("{batch} weights"),
                found: weights.len().to_string(),
            });
        }
        let vector = |vectors: &Tensor, like: &Value| tape.constant(&vectors.reshaped(like.shape())?);
        let right = vector(self.norms.right(), &self.input)?;
        let left = vector(self.norms.left(), &self.output)?;
        let weights: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
        let column: Vec<usize> = std::iter::once(batch).chain(self.output.shape().iter().skip(1).map(|_| 1)).collect();
        let weights = tape.constant(&Tensor::from_slice(tape.gpu(), &column, &weights)?)?;

        let along = tape.jvp(&[&self.output], &[&self.input], &[&right])?;
        let axes: Vec<usize> = (0..self.output.shape().len()).collect();
        let total = along[0].multiply(&left)?.multiply(&weights)?.sum(&axes)?;
        let gradients = tape.grad(&total, inputs)?;
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) =
            self.point.iter().map(|(value, tensor)| (value, tensor)).unzip();
        tape.compile(&values, &gradients)?.run(&tensors)
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
    let places: Vec<f32> = super::start::uniform_places(seed, batch);
    let column: Vec<usize> =
        left.shape().iter().enumerate().map(|(axis, size)| if axis == 0 { *size } else { 1 }).collect();
    let places = tape.constant(&Tensor::from_slice(tape.gpu(), &column, &places)?)?;
    let between = x.subtract(&y)?.multiply(&places)?.add(&y)?;
    let mut results = tape.compile(&[&x, &y], &[between])?.run(&[left, right])?;
    results.pop().map_or_else(|| Tensor::zeros(tape.gpu(), left.shape()), Ok)
}
