//! Softmax and its logarithm.

use super::Value;
use crate::Result;

impl Value {
    /// `e^x / Σ e^x` along `axis`, from x less its largest, so that nothing overflows.
    ///
    /// # Errors
    /// As [`Value::max`].
    pub fn softmax(&self, axis: usize) -> Result<Self> {
        let (exponents, sum) = self.exponents(axis)?;
        exponents.exp()?.divide(&sum)
    }

    /// `x - log Σ e^x` along `axis`, from x less its largest: the logarithm of [`Value::softmax`], for small values too.
    ///
    /// # Errors
    /// As [`Value::max`].
    pub fn log_softmax(&self, axis: usize) -> Result<Self> {
        let (exponents, sum) = self.exponents(axis)?;
        exponents.subtract(&sum.log()?)
    }

    /// x less its largest along an axis, and the sum of the exponentials of that.
    fn exponents(&self, axis: usize) -> Result<(Self, Self)> {
        let mut kept = self.shape().to_vec();
        let largest = self.max(axis)?;
        kept[axis] = 1;
        let exponents = self.subtract(&largest.reshape(&kept)?)?;
        let sum = exponents.exp()?.sum(&[axis])?.reshape(&kept)?;
        Ok((exponents, sum))
    }
}
