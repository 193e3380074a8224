//! Normalisation of each sample by its own mean and variance.

use super::Value;
use crate::{Error, Result};

impl Value {
    /// `(x - mean) / √(variance + epsilon)`, mean and variance being those over the last `axes` axes (Ba, Kiros and
    /// Hinton,
    /// *Layer normalization*, 2016); [`Value::multiply`] and [`Value::add`] make it affine.
    ///
    /// On the device, elements beyond 1e19 overflow, because they are squared.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for more axes than there are.
    pub fn layer_norm(&self, axes: usize, epsilon: f64) -> Result<Self> {
        let rank = self.shape().len();
        if axes > rank {
            return Err(Error::ShapeMismatch {
                operation: "layer_norm",
                expected: format!("at least {axes} axes"),
                found: format!("{:?}", self.shape()),
            });
        }
        let over: Vec<usize> = (rank - axes..rank).collect();
        let kept: Vec<usize> =
            self.shape().iter().enumerate().map(|(axis, size)| if over.contains(&axis) { 1 } else { *size }).collect();
        let centred = self.subtract(&self.mean(&over)?.reshape(&kept)?)?;
        // The rounding of the mean leaves a mean of the differences. It counts as fixed, because exactly it would be 0.
        let left = centred.stop_gradient()?.mean(&over)?.reshape(&kept)?;
        let centred = centred.subtract(&left)?;
        let variance = centred.square()?.mean(&over)?.reshape(&kept)?;
        centred.multiply(&variance.shift(epsilon)?.sqrt()?.power(-1.0)?)
    }
}
