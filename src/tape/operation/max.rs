//! The largest element over an axis.

use super::{Value, expect_axes};
use crate::tensor::{Pool2dOptions, volume};
use crate::{Error, Result};

/// The longest window that one invocation looks through; longer axes are pooled again.
const WINDOW: usize = 512;

impl Value {
    /// The largest element over `axis`, which the result does not have; NaN where an element is.
    ///
    /// Where several are the largest, the derivative is that of the first. Where an element is NaN, so is the
    /// derivative.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when there is no such axis, or no element along it.
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
        let (outer, inner) = (volume(&kept[..axis]), volume(&kept[axis..]));
        if inner == 0 {
            return self.tape().fill(&kept, 0.0);
        }
        let mut rows = self.shape()[axis];
        let mut largest = self.reshape(&[outer, rows, inner])?;
        while rows > 1 {
            let window = rows.min(WINDOW);
            let windows = rows.div_ceil(window);
            // Padding around the axis fills up the last window.
            let padding = (windows * window - rows).div_ceil(2);
            largest =
                largest.max_pool2d(&Pool2dOptions { padding: [padding, 0], ..Pool2dOptions::new([window, 1]) })?;
            rows = windows;
        }
        largest.reshape(&kept)
    }

    /// The smallest element over `axis`, as [`Value::max`].
    ///
    /// # Errors
    /// As [`Value::max`].
    pub fn min(&self, axis: usize) -> Result<Self> {
        self.negate()?.max(axis)?.negate()
    }
}
