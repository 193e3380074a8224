//! The mean of each window: a convolution by a constant.

use super::Value;
use crate::Result;
use crate::tensor::{Conv2dOptions, Pool2dOptions, Tensor};

impl Value {
    /// The mean of each window over the last two axes: its sum over the size of the window where `count_padding`, else
    /// over the number of its elements within the image.
    ///
    /// *Shapes*  as [`Value::max_pool2d`]
    ///
    /// # Errors
    /// As [`Value::max_pool2d`]; [`crate::Error::OutOfMemory`] for the numbers of elements.
    pub fn average_pool2d(&self, pooling: &Pool2dOptions, count_padding: bool) -> Result<Self> {
        let (sizes, shape) = self.pooled("average_pool2d", pooling)?;
        let is_even = count_padding || pooling.padding == [0, 0];
        let weight = if is_even { (sizes.taps() as f64).recip() } else { 1.0 };
        let Pool2dOptions { stride, padding, dilation, .. } = *pooling;
        let planes = self.reshape(&sizes.image_shape())?;
        let weight = self.tape().fill(&sizes.weight_shape(), weight)?;
        let sums = planes.conv2d(&weight, &Conv2dOptions { stride, padding, dilation, groups: 1 })?.reshape(&shape)?;
        if is_even {
            return Ok(sums);
        }
        let [down, across] =
            [0, 1].map(|axis| (0..sizes.response[axis]).map(|window| sizes.inside(axis, window)).collect::<Vec<_>>());
        // Counts are exact in f32; their reciprocals would not be.
        let counts: Vec<f32> =
            down.iter().flat_map(|down| across.iter().map(move |across| (down * across) as f32)).collect();
        let counts = Tensor::from_slice(self.tape().device(), &sizes.response, &counts)?;
        sums.divide(&self.tape().constant(&counts)?)
    }
}
