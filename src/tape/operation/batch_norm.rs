//! Normalisation of each channel by a mean and a variance that are given.

use super::Value;
use crate::{Error, Result};

impl Value {
    /// `(x - mean) / √(variance + epsilon) · weight + bias`, with one of each a channel (Ioffe and Szegedy, *Batch normalization*,
    /// 2015), as at inference: mean and variance are values like any other, not those of the batch.
    ///
    /// *Shapes*  this, result: batch × channels × any axes · `mean`, `variance`, `weight`, `bias`: channels
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when there is no axis of channels, or one of the four has another shape.
    pub fn batch_norm(
        &self,
        (mean, variance): (&Self, &Self),
        (weight, bias): (&Self, &Self),
        epsilon: f64,
    ) -> Result<Self> {
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
        let [mean, variance] = [of_channels(mean)?, of_channels(variance)?];
        let factor = of_channels(weight)?.multiply(&variance.shift(epsilon)?.sqrt()?.power(-1.0)?)?;
        self.subtract(&mean)?.multiply(&factor)?.add(&of_channels(bias)?)
    }
}
