//! Normalisation of each channel by a mean and a variance that are given.

use super::Value;
use crate::{Error, Result};

/// The statistics and the affine map of a [`Value::batch_norm`], with an element for each channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// The means.
    pub mean: &'a Value,
    /// The variances.
    pub variance: &'a Value,
    /// The factors.
    pub weight: &'a Value,
    /// The summands.
    pub bias: &'a Value,
    /// The number that is added to each variance.
    pub epsilon: f64,
}

impl Value {
    /// `(x - mean) / √(variance + epsilon) · weight + bias`, channel by channel (Ioffe and Szegedy, *Batch
    /// normalization*, 2015), as at inference: mean and variance are values like any other, not those of the batch.
    ///
    /// *Shapes*  this, result: batch × channels × any axes · each part of `norm`: channels
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when there is no axis of channels, or a part of `norm` has another shape.
    pub fn batch_norm(&self, norm: &BatchNorm<'_>) -> Result<Self> {
        let operation = "batch_norm";
        let Some(channels) = self.shape().get(1).copied() else {
            return Err(Error::ShapeMismatch {
                operation,
                expected: "batch x channels x any axes".to_string(),
                found: format!("{:?}", self.shape()),
            });
        };
        let mut beside = vec![1; self.shape().len() - 1];
        beside[0] = channels;
        let of_channels = |value: &Self| {
            if value.shape() == [channels] {
                return value.reshape(&beside);
            }
            Err(Error::ShapeMismatch {
                operation,
                expected: format!("a value of shape {:?}", [channels]),
                found: format!("{:?}", value.shape()),
            })
        };
        let [mean, variance] = [of_channels(norm.mean)?, of_channels(norm.variance)?];
        let factor = of_channels(norm.weight)?.multiply(&variance.shift(norm.epsilon)?.sqrt()?.power(-1.0)?)?;
        self.subtract(&mean)?.multiply(&factor)?.add(&of_channels(norm.bias)?)
    }
}
