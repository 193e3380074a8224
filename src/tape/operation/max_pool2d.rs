//! The largest element of each window.

use super::Value;
use crate::tensor::{Pool2dOptions, SlidingSizes, volume};
use crate::{Error, Result};

impl Value {
    /// The largest element of each window over the last two axes, NaN where an element is; padding is never the
    /// largest.
    ///
    /// Where several are the largest, the derivative is that of the first, row by row. Where an element is NaN, so is
    /// the derivative.
    ///
    /// *Shapes*  this: any axes × height × width · result: the same axes ×
    /// ⌊(height + 2 padding - dilation (size - 1) - 1) / stride⌋ + 1 × the same of the width
    ///
    /// ```
    /// use opnorm::{Device, tensor::Pool2dOptions, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let x = tape.input(&[1, 2, 4])?;
    /// let y = x.max_pool2d(&Pool2dOptions::new([2, 2]))?;
    /// let found = tape.compile(&[&x], &[y])?.evaluate(&[[1.0, 5.0, -1.0, -2.0, 3.0, 4.0, -4.0, -3.0]])?;
    /// assert_eq!(found[0], [5.0, -1.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for fewer than two axes; [`Error::InvalidOption`] for a size, a stride or a dilation of
    /// 0, where a window would lie in the padding alone, and where no window fits; [`Error::TooLarge`] past 2^30 along
    /// an axis.
    pub fn max_pool2d(&self, pooling: &Pool2dOptions) -> Result<Self> {
        let (sizes, shape) = self.pooled("max_pool2d", pooling)?;
        let planes = self.reshape(&sizes.image_shape())?;
        planes.pool_pick(&planes.pool_choice(sizes)?, sizes)?.reshape(&shape)
    }

    /// The sizes of a pooling of this value, and the shape of its result.
    pub(super) fn pooled(
        &self,
        operation: &'static str,
        pooling: &Pool2dOptions,
    ) -> Result<(SlidingSizes, Vec<usize>)> {
        let [axes @ .., rows, cols] = self.shape() else {
            return Err(Error::ShapeMismatch {
                operation,
                expected: "at least two axes".to_string(),
                found: format!("{:?}", self.shape()),
            });
        };
        let sizes = pooling.sizes(volume(axes), [*rows, *cols])?;
        Ok((sizes, [axes, &sizes.response].concat()))
    }
}
