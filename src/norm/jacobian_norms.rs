//! Jacobian norms that are recorded once and taken at many points, and their gradients.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Bounds, Guarantee, JacobianSpectralNorm, Reduction, SpectralNorm, SpectralNorms, Status};
use crate::iterate::Control;
use crate::tape::{Linearization, Program, Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The norms of one function's Jacobian, at any samples and values of its other inputs: of [`JacobianSpectralNorm::prepare`].
///
/// The function, its derivative and the gradients that were asked for are recorded and compiled once; a loop over points adds
/// nothing to the tape.
///
/// ```
/// use opnorm::norm::{JacobianSpectralNorm, Reduction};
/// use opnorm::{Gpu, tape::Tape, tensor::Tensor};
/// let gpu = Gpu::new()?;
/// let tape = Tape::new(&gpu);
/// let slope = tape.input(&[])?;
/// let norm = JacobianSpectralNorm { reduction: Reduction::Mean, ..JacobianSpectralNorm::default() };
/// let mut prepared = norm.prepare(&tape, |x| x.multiply(&slope)?.sin(), &[4, 2], &[&slope])?;
/// let samples = Tensor::zeros(&gpu, &[4, 2])?;
/// for value in [1.0, 2.0, 3.0] {
///     let found = prepared.at(&samples, &[&Tensor::from_slice(&gpu, &[], &[value])?])?;
///     assert!((found.reduced().unwrap() - f64::from(value)).abs() < 1e-5);
///     let gradient = found.gradient(&[&slope])?[0].read(&gpu)?;
///     assert!((gradient[0] - 1.0).abs() < 1e-5);
/// }
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
pub struct PreparedJacobianNorm {
    options: JacobianSpectralNorm,
    jacobian: Linearization,
    function: Arc<Function>,
    /// The samples taken, then the other inputs.
    point: Vec<Tensor>,
}

/// What was recorded.
#[derive(Debug)]
struct Function {
    input: Value,
    output: Value,
    others: Vec<Value>,
    /// Programs of the gradients that were asked for, by the numbers of what they are taken with respect to.
    gradients: Mutex<BTreeMap<Vec<usize>, Arc<Program>>>,
}

impl PreparedJacobianNorm {
    /// Records the function and linearises it at a first point.
    pub(super) fn at_point(
        options: &JacobianSpectralNorm,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        (others, tensors): (&[&Value], &[&Tensor]),
    ) -> Result<Self> {
        let samples = options.reduced(samples)?;
        let input = tape.input(samples.shape())?;
        let output = function(&input)?;
        let point: Vec<(&Value, &Tensor)> =
            [(&input, &samples)].into_iter().chain(others.iter().copied().zip(tensors.iter().copied())).collect();
        let jacobian = tape.linearize(&output, &input, &point)?;
        let point = point.into_iter().map(|(_, tensor)| tensor.clone()).collect();
        let others = others.iter().map(|other| (*other).clone()).collect();
        let function = Arc::new(Function { input, output, others, gradients: Mutex::default() });
        Ok(Self { options: options.clone(), jacobian, function, point })
    }

    /// The argument of the function, as a value of the tape.
    pub fn input(&self) -> &Value {
        &self.function.input
    }

    /// The norms at `samples`, with what the other inputs are.
    ///
    /// *Shapes*  `samples`: that of [`JacobianSpectralNorm::prepare`] · `others`: those of the other inputs, in their order
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for other shapes; as [`Program::run`] and [`super::Lanczos::norm`].
    pub fn at(&mut self, samples: &Tensor, others: &[&Tensor]) -> Result<JacobianNorms> {
        self.at_with(samples, others, Control::default())
    }

    /// [`PreparedJacobianNorm::at`] with a warm start and a callback.
    ///
    /// # Errors
    /// As [`PreparedJacobianNorm::at`]; [`Error::Cancelled`] when the callback says so.
    pub fn at_with(&mut self, samples: &Tensor, others: &[&Tensor], control: Control<'_>) -> Result<JacobianNorms> {
        let gpu = self.function.input.tape().gpu().clone();
        gpu.block_on(self.at_async(samples, others, control))
    }

    /// [`PreparedJacobianNorm::at_with`] without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`PreparedJacobianNorm::at_with`].
    pub async fn at_async(
        &mut self,
        samples: &Tensor,
        others: &[&Tensor],
        control: Control<'_>,
    ) -> Result<JacobianNorms> {
        let samples = self.options.reduced(samples)?;
        let point: Vec<&Tensor> = [&samples].into_iter().chain(others.iter().copied()).collect();
        self.jacobian.move_to_async(&point).await?;
        self.point = point.into_iter().cloned().collect();
        self.here_async(control).await
    }

    /// The norms where the Jacobian was taken last.
    pub(super) async fn here_async(&self, control: Control<'_>) -> Result<JacobianNorms> {
        let norms = self.options.method.norm_async(&self.jacobian, control).await?;
        let (function, point) = (Arc::clone(&self.function), self.point.clone());
        Ok(JacobianNorms { norms, reduction: self.options.reduction, function, point })
    }
}

/// The norms of Jacobians at some samples, and what their gradient needs: the memory of samples and other inputs among it, which must
/// keep its contents until then.
#[derive(Debug)]
pub struct JacobianNorms {
    norms: SpectralNorms,
    reduction: Reduction,
    function: Arc<Function>,
    point: Vec<Tensor>,
}

impl JacobianNorms {
    /// The norm of each sample, with its singular vectors, status and bounds.
    pub fn norms(&self) -> &SpectralNorms {
        &self.norms
    }

    /// The argument of the function, as a value of the tape: what a gradient with respect to the samples is taken of.
    pub fn input(&self) -> &Value {
        &self.function.input
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

    /// Where the reduced norm lies, from the bounds of the samples. `None` for [`Reduction::None`].
    ///
    /// They are bounds of the exact derivative of the function at the samples, as `f64` on the host gives it; a Jacobian proves
    /// no bounds of its own, and without `delta` in the method's options nothing is said. The probability of failure of a sum or
    /// a mean is that of all samples, added up. That of a maximum is the largest of them: the maximum is the norm of one sample,
    /// whichever the starts are, and fails only if the bound of that sample does.
    pub fn reduced_bounds(&self) -> Option<Bounds> {
        let bounds: Vec<Bounds> = self.norms.items().iter().map(|item| item.bounds).collect();
        let Some(guarantee) = bounds.iter().map(|bounds| bounds.guarantee).reduce(Guarantee::and) else {
            return (self.reduction != Reduction::None).then_some(Bounds::NONE);
        };
        let (lowers, uppers): (Vec<f64>, Vec<f64>) = bounds.iter().map(|bounds| (bounds.lower, bounds.upper)).unzip();
        // A sum with 0 is exact; any other is rounded to the safe side.
        let total = |terms: &[f64], outwards: fn(f64) -> f64| {
            terms.iter().fold(0.0, |sum, term| if *term == 0.0 { sum } else { outwards(sum + term) })
        };
        let most = |terms: &[f64]| terms.iter().copied().fold(0.0, f64::max);
        let (below, above) = (f64::next_down, f64::next_up);
        let count = bounds.len() as f64;
        let (lower, upper) = match self.reduction {
            Reduction::None => return None,
            Reduction::Max => (most(&lowers), most(&uppers)),
            Reduction::Sum => (total(&lowers, below), total(&uppers, above)),
            Reduction::Mean => (below(total(&lowers, below) / count).max(0.0), above(total(&uppers, above) / count)),
        };
        let guarantee = match (guarantee, self.reduction) {
            (Guarantee::Probabilistic { .. }, Reduction::Max) => {
                let deltas = bounds.iter().filter_map(|bounds| bounds.guarantee.delta());
                Guarantee::Probabilistic { delta: deltas.fold(0.0, f64::max) }
            }
            (guarantee, _) => guarantee,
        };
        Some(match guarantee {
            Guarantee::None => Bounds::NONE,
            Guarantee::Lower => Bounds::at_least(lower),
            _ => Bounds { lower, upper, guarantee },
        })
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
        let (input, output) = (&self.function.input, &self.function.output);
        let batch = self.norms.items().len();
        if weights.len() != batch {
            return Err(Error::ShapeMismatch {
                operation: "gradient of a Jacobian norm",
                expected: format!("{batch} weights"),
                found: weights.len().to_string(),
            });
        }
        let program = self.function.gradient(inputs)?;
        // What is not finite has no vectors, and no gradient: zeros would look like one.
        let of_item = |(item, weight): (&SpectralNorm, &f64)| match item.status {
            Status::NonFinite if *weight != 0.0 => f32::NAN,
            _ => *weight as f32,
        };
        let weights: Vec<f32> = self.norms.items().iter().zip(weights).map(of_item).collect();
        let weights = Tensor::from_slice(input.tape().gpu(), &column(output.shape()), &weights)?;
        let vectors = [self.norms.right().reshaped(input.shape())?, self.norms.left().reshaped(output.shape())?];
        let given: Vec<&Tensor> = self.point.iter().chain(&vectors).chain([&weights]).collect();
        program.run(&given)
    }
}

impl Function {
    /// The gradient of the sum over the samples of weight · uᵀ J v: from the point, v, u and the weights.
    fn gradient(&self, inputs: &[&Value]) -> Result<Arc<Program>> {
        let tape = self.input.tape();
        tape.expect_own("gradient of a Jacobian norm", inputs)?;
        let wanted: Vec<usize> = inputs.iter().map(|input| input.node()).collect();
        let mut gradients = self.gradients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = gradients.get(&wanted) {
            return Ok(Arc::clone(made));
        }
        let (right, left) = (tape.input(self.input.shape())?, tape.input(self.output.shape())?);
        let weights = tape.input(&column(self.output.shape()))?;
        let along = tape.jvp(&[&self.output], &[&self.input], &[&right])?;
        let axes: Vec<usize> = (0..self.output.shape().len()).collect();
        let total = along[0].multiply(&left)?.multiply(&weights)?.sum(&axes)?;
        let slopes = tape.grad(&total, inputs)?;
        let given: Vec<&Value> =
            [&self.input].into_iter().chain(&self.others).chain([&right, &left, &weights]).collect();
        let made = Arc::new(tape.compile(&given, &slopes)?);
        gradients.insert(wanted, Arc::clone(&made));
        Ok(made)
    }
}

/// One number a sample, to be repeated over what a sample holds.
pub(super) fn column(shape: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(axis, size)| if axis == 0 { *size } else { 1 }).collect()
}
