//! Softmax and its logarithm.

use super::Value;
use crate::Result;

/// The parts of softmax along an axis. The largest element, the first of equals, is apart from the others: its share is
/// 1 / (1 + their sum), whose derivative is that of their sum and does not cancel where the share is nearly 1.
struct Shares {
    /// x - max x, with its derivative; 0 for the largest element itself.
    exponents: Value,
    /// 1 for the largest element, else 0; it counts as fixed.
    is_largest: Value,
    /// The exponentials of the others, and 0 for the largest element.
    others: Value,
    /// The sum of the others: the sum of all exponentials is 1 more.
    sum: Value,
}

impl Value {
    /// `e^x / Σ e^x` along `axis`, from x - max x, so that nothing overflows.
    ///
    /// # Errors
    /// As [`Value::max`].
    pub fn softmax(&self, axis: usize) -> Result<Self> {
        let Shares { is_largest, others, sum, .. } = self.shares(axis)?;
        others.add(&is_largest)?.divide(&sum.shift(1.0)?)
    }

    /// `x - log Σ e^x` along `axis`, from x - max x: the logarithm of [`Value::softmax`], as accurate for small values.
    ///
    /// # Errors
    /// As [`Value::max`].
    pub fn log_softmax(&self, axis: usize) -> Result<Self> {
        let Shares { exponents, sum, .. } = self.shares(axis)?;
        exponents.subtract(&sum.log1p()?)
    }

    fn shares(&self, axis: usize) -> Result<Shares> {
        let mut kept = self.shape().to_vec();
        let largest = self.max(axis)?;
        let ones = self.tape().fill(largest.shape(), 1.0)?;
        let is_largest = self.tape().vjp(&[&largest], &[self], &[ones])?.remove(0).stop_gradient()?;
        let is_other = is_largest.negate()?.shift(1.0)?;
        kept[axis] = 1;
        let exponents = self.subtract(&largest.reshape(&kept)?)?.multiply(&is_other)?;
        let others = exponents.exp()?.multiply(&is_other)?;
        let sum = others.sum(&[axis])?.reshape(&kept)?;
        Ok(Shares { exponents, is_largest, others, sum })
    }
}
