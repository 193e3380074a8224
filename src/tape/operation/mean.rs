//! The mean over axes.

use super::{Value, expect_axes};
use crate::Result;

impl Value {
    /// The mean over `axes`, which the result does not have; NaN over no elements.
    ///
    /// # Errors
    /// As [`Value::sum`].
    pub fn mean(&self, axes: &[usize]) -> Result<Self> {
        let count: usize =
            expect_axes("mean", self.shape().len(), axes)?.iter().map(|axis| self.shape()[*axis]).product();
        self.sum(axes)?.scale((count as f64).recip())
    }
}
