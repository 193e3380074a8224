//! Norms of Jacobians at some samples, reduced to one number, and their gradients.

use std::sync::Arc;

use super::reduction::Reduction;
use crate::device::Device;
use crate::norm::{Bounds, Guarantee, SpectralNorm, SpectralNorms, Status};
use crate::tape::{Function, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The norms of Jacobians at some samples, with their gradient.
///
/// A gradient reads the tensors of the samples and of the other inputs, which must keep their contents until then.
#[derive(Debug)]
#[must_use]
pub struct JacobianNorms {
    pub(super) norms: SpectralNorms,
    pub(super) reduction: Reduction,
    pub(super) function: Arc<Function>,
    pub(super) point: Vec<Tensor>,
}

impl JacobianNorms {
    /// The norm of each sample, with its singular vectors, status and bounds.
    pub fn norms(&self) -> &SpectralNorms {
        &self.norms
    }

    /// The argument of the function, as a value of the tape: name it to take a gradient with respect to the samples.
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

    /// Bounds of the reduced norm, from the bounds of the samples. `None` for [`Reduction::None`].
    ///
    /// The bounds are of the exact derivative of the function at the samples, as `f64` on the host gives it. A Jacobian
    /// proves no bounds of its own: without `delta` in the method's options there are none. The failure probability of
    /// a sum or a mean is the sum over the samples. The failure probability of a maximum is the largest of the
    /// samples': the maximum is the norm of one sample, whichever the starts are, and fails only if the bound of that
    /// sample does.
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

    /// The gradient of the reduced norm with respect to samples ([`JacobianNorms::input`]) and other inputs of the
    /// function.
    ///
    /// With u and v the singular vectors found, d‖J‖ = d(uᵀ J v): one reverse sweep over one JVP, whatever the number
    /// of iterations was. It is exact where the vectors are; [`SpectralNorm::gradient_error`] tells how far they may be
    /// off.
    ///
    /// *Shapes*  result: those of `inputs`
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for [`Reduction::None`], which [`JacobianNorms::gradient_along`] serves; whatever the
    /// device says.
    pub fn gradient(&self, inputs: &[&Value]) -> Result<Vec<Tensor>> {
        self.device().block_on(self.gradient_async(inputs))
    }

    /// [`JacobianNorms::gradient`] without blocking the thread while steps of the host run.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`JacobianNorms::gradient`].
    pub async fn gradient_async(&self, inputs: &[&Value]) -> Result<Vec<Tensor>> {
        self.gradient_along_async(&self.weights()?, inputs).await
    }

    /// The derivative of the reduced norm with respect to the norm of each sample.
    fn weights(&self) -> Result<Vec<f64>> {
        let items = self.norms.items();
        let count = items.len();
        Ok(match self.reduction {
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
        })
    }

    /// The gradient of the sum of the norms, each times its weight.
    ///
    /// *Shapes*  `weights`: one a sample · result: those of `inputs`
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of weights; as [`JacobianNorms::gradient`].
    pub fn gradient_along(&self, weights: &[f64], inputs: &[&Value]) -> Result<Vec<Tensor>> {
        self.device().block_on(self.gradient_along_async(weights, inputs))
    }

    /// [`JacobianNorms::gradient_along`] without blocking the thread while steps of the host run.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`JacobianNorms::gradient_along`].
    pub async fn gradient_along_async(&self, weights: &[f64], inputs: &[&Value]) -> Result<Vec<Tensor>> {
        let batch = self.norms.items().len();
        if weights.len() != batch {
            return Err(Error::ShapeMismatch {
                operation: "gradient of a Jacobian norm",
                expected: format!("{batch} weights"),
                found: weights.len().to_string(),
            });
        }
        // A norm that is not finite has no vectors, and no gradient: zeros would look like a gradient.
        let of_item = |(item, weight): (&SpectralNorm, &f64)| match item.status {
            Status::NonFinite if *weight != 0.0 => f32::NAN,
            _ => *weight as f32,
        };
        let weights: Vec<f32> = self.norms.items().iter().zip(weights).map(of_item).collect();
        self.function.pull_back((self.norms.left(), self.norms.right(), &weights), &self.point, inputs).await
    }

    fn device(&self) -> &Device {
        self.function.input.tape().device()
    }
}
