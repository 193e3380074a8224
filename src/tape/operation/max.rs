//! The largest over an axis.

use super::{Value, expect_axes};
use crate::{Error, Result};

impl Value {
    /// The largest over `axis`, which the result does not have; NaN where there is one.
    ///
    /// Halves are compared, so that it is [`Value::maximum`] of about log₂ of the axis.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when there is no such axis, or nothing along it.
    pub fn max(&self, axis: usize) -> Result<Self> {
        expect_axes("max", self.shape().len(), &[axis])?;
        let mut kept = self.shape().to_vec();
        if kept.remove(axis) == 0 {
            return Err(Error::ShapeMismatch {
                operation: "max",
                expected: format!("something along axis {axis}"),
                found: format!("{:?}", self.shape()),
            });
        }
        let mut largest = self.clone();
        while largest.shape()[axis] > 1 {
            let size = largest.shape()[axis];
            // The middle one of an odd number is in both halves.
            let half = size.div_ceil(2);
            largest = largest.slice(axis, 0..half)?.maximum(&largest.slice(axis, size - half..size)?)?;
        }
        largest.reshape(&kept)
    }

    /// The smallest over `axis`, as [`Value::max`].
    ///
    /// # Errors
    /// As [`Value::max`].
    pub fn min(&self, axis: usize) -> Result<Self> {
        self.negate()?.max(axis)?.negate()
    }
}
