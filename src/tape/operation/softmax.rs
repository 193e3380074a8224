//! Softmax and its logarithm.

use super::Value;
use crate::Result;

/// What softmax along an axis is made of. The largest element, the first of equals, is apart from the others: its share is 1 less
/// theirs, so that what changes it is their sum, which does not cancel where it is nearly all.
struct Shares {
    /// x less its largest, whose derivative is that of the difference; 0 for the largest itself.
    exponents: Value,
    /// 1 for the largest, else 0; fixed.
    is_largest: Value,
    /// The exponentials of the others, and 0 for the largest.
    others: Value,
    /// The sum of the others, which the sum of all exponentials is 1 more than.
    sum: Value,
}

impl Value {
    /// `e^x / Σ e^x` along `axis`, from x less its largest, so that nothing overflows.
    ///
    /// # Errors
    /// As [`Value::max`].
    pub fn softmax(&self, axis: usize) -> Result<Self> {
        let Shares { is_largest, others, sum, .. } = self.shares(axis)?;
        others.add(&is_largest)?.divide(&sum.shift(1.0)?)
    }

    /// `x - log Σ e^x` along `axis`, from x less its largest: the logarithm of [`Value::softmax`], for small values too.
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
