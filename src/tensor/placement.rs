//! The placement of windows that slide over images.

use super::SlidingSizes;
use super::size::elements;
use crate::{Error, Result};

/// Shaders count along one axis of a padded image in 31 bits, with room for a step past it.
const FARTHEST: usize = 1 << 30;

const OPERATION: &str = "convolution";

/// The placement of the windows of a convolution on an image; pairs are along height and along width.
///
/// ```
/// use opnorm::tensor::Conv2dOptions;
/// let halved = Conv2dOptions { stride: [2, 2], padding: [1, 1], ..Conv2dOptions::default() };
/// assert_eq!(halved.sizes(&[8, 3, 32, 32], &[16, 3, 3, 3])?.response_shape(), [8, 16, 16, 16]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// The distance from one window to the next.
    pub stride: [usize; 2],
    /// Zeros before the first element and after the last one.
    pub padding: [usize; 2],
    /// The distance from one element of a window to the next.
    pub dilation: [usize; 2],
    /// Parts that channels and filters are cut into: each part of the filters sees its part of the channels alone.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    /// Windows without holes at every place within the image, and all channels for every filter.
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

impl Conv2dOptions {
    /// The sizes for images and weights of these shapes: ⌊(image + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1
    /// windows along each axis.
    ///
    /// *Shapes*  `image`: batch × channels × height × width · `weight`: filters × channels / groups × kernel height ×
    /// kernel width
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit each other, or no window fits into the image;
    /// [`Error::InvalidOption`] for a stride, a dilation or groups of 0; [`Error::TooLarge`] past 2^30 along an axis.
    pub fn sizes(&self, image: &[usize], weight: &[usize]) -> Result<SlidingSizes> {
        let Self { stride, padding, dilation, groups } = self.clone();
        if stride.contains(&0) || dilation.contains(&0) || groups == 0 {
            return Err(Error::InvalidOption {
                operation: OPERATION,
                option: "the stride, the dilation or the groups",
                value: format!("{stride:?}, {dilation:?}, {groups}"),
                allowed: "at least 1",
            });
        }
        let mismatch = || Error::ShapeMismatch {
            operation: OPERATION,
            expected: format!(
                "filters x channels / {groups} x height x width that fit images of {image:?} with {padding:?} zeros around"
            ),
            found: format!("{weight:?}"),
        };
        let (&[batch, all, ref image_size @ ..], &[filters, channels, ref kernel_size @ ..]) = (image, weight) else {
            return Err(mismatch());
        };
        let (Ok(image_size), Ok(kernel)) = (<[usize; 2]>::try_from(image_size), <[usize; 2]>::try_from(kernel_size))
        else {
            return Err(mismatch());
        };
        if channels.checked_mul(groups) != Some(all) || filters % groups != 0 || kernel.contains(&0) {
            return Err(mismatch());
        }
        let mut response = [0; 2];
        for axis in 0..2 {
            let (padded, reach) = self.extents(axis, image_size[axis], kernel[axis])?;
            response[axis] = padded.checked_sub(reach + 1).ok_or_else(mismatch)? / stride[axis] + 1;
        }
        let filters = filters / groups;
        let sizes = SlidingSizes {
            batch,
            groups,
            channels,
            filters,
            image: image_size,
            kernel,
            response,
            stride,
            padding,
            dilation,
        };
        // Shaders multiply some of the sizes alone, so that none of them may be hidden by a 0.
        for shape in [sizes.image_shape(), sizes.weight_shape(), sizes.response_shape()] {
            elements(OPERATION, &shape.map(|size| size.max(1)))?;
        }
        Ok(sizes)
    }

    /// The padded image along one axis, and the distance from the first element of a window to the last one.
    fn extents(&self, axis: usize, image: usize, kernel: usize) -> Result<(usize, usize)> {
        let padded = self.padding[axis].saturating_mul(2).saturating_add(image);
        let reach = (kernel - 1).saturating_mul(self.dilation[axis]);
        let farthest = padded.max(reach).max(self.stride[axis]).max(self.dilation[axis]);
        if farthest > FARTHEST {
            return Err(Error::TooLarge {
                operation: OPERATION,
                what: "an axis".to_string(),
                needed: farthest as u64,
                limit: FARTHEST as u64,
                advice: "split the image into smaller pieces",
            });
        }
        Ok((padded, reach))
    }
}

/// The placement of the windows of a pooling on an image; pairs are along height and along width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool2dOptions {
    /// Elements of a window.
    pub size: [usize; 2],
    /// The distance from one window to the next.
    pub stride: [usize; 2],
    /// Places before the first element and after the last one that windows reach over.
    pub padding: [usize; 2],
    /// The distance from one element of a window to the next.
    pub dilation: [usize; 2],
}

impl Pool2dOptions {
    /// Windows of `size` side by side.
    pub fn new(size: [usize; 2]) -> Self {
        Self { size, stride: size, padding: [0, 0], dilation: [1, 1] }
    }

    /// The sizes for planes of `rows` × `cols`, which are the batch of a convolution of one channel.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a size, a stride or a dilation of 0, and where a window would lie in the padding
    /// alone, or none fits; [`Error::TooLarge`] past 2^30 along an axis.
    pub fn sizes(&self, planes: usize, [rows, cols]: [usize; 2]) -> Result<SlidingSizes> {
        let Self { size, stride, padding, dilation } = self.clone();
        let refused = || Error::InvalidOption {
            operation: "pooling",
            option: "the window",
            value: format!("{self:?} of {rows} x {cols}"),
            allowed: "one that fits, every place of which has an element within",
        };
        let sizes = Conv2dOptions { stride, padding, dilation, groups: 1 }
            .sizes(&[planes, 1, rows, cols], &[1, 1, size[0], size[1]])
            .map_err(|error| if matches!(error, Error::TooLarge { .. }) { error } else { refused() })?;
        if sizes.is_filled() { Ok(sizes) } else { Err(refused()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted_as_they_fit() {
        let windows = |image, kernel, stride, padding, dilation| {
            let options =
                Conv2dOptions { stride: [stride, 1], padding: [padding, 0], dilation: [dilation, 1], groups: 1 };
            options.sizes(&[1, 1, image, 1], &[1, 1, kernel, 1]).map(|sizes| sizes.response[0])
        };
        assert_eq!(windows(5, 3, 1, 0, 1).unwrap(), 3);
        assert_eq!(windows(5, 3, 2, 1, 1).unwrap(), 3);
        assert_eq!(windows(6, 3, 2, 1, 1).unwrap(), 3);
        assert_eq!(windows(5, 3, 1, 0, 2).unwrap(), 1);
        assert_eq!(windows(0, 2, 1, 1, 1).unwrap(), 1);
        assert!(matches!(windows(5, 3, 1, 0, 3), Err(Error::ShapeMismatch { .. })));
        assert!(matches!(windows(5, 3, 0, 0, 1), Err(Error::InvalidOption { .. })));
        assert!(matches!(windows(5, 2, 1, 1 << 30, 1), Err(Error::TooLarge { .. })));
        assert!(matches!(windows(5, usize::MAX, 1, 1, usize::MAX), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn no_window_lies_in_padding_alone() {
        let fits = |rows, size, padding, dilation, stride| {
            let pooling =
                Pool2dOptions { size: [size, 1], stride: [stride, 1], padding: [padding, 0], dilation: [dilation, 1] };
            pooling.sizes(1, [rows, 1]).is_ok()
        };
        assert!(fits(4, 2, 1, 1, 1) && fits(4, 3, 2, 1, 1) && fits(4, 3, 2, 1, 3));
        assert!(!fits(4, 2, 2, 1, 1) && !fits(0, 2, 1, 1, 1) && !fits(2, 3, 0, 1, 1) && !fits(2, 0, 0, 1, 1));
        // The elements of a window of holes lie on both sides of the image.
        assert!(!fits(1, 2, 2, 4, 1) && fits(3, 3, 2, 2, 1));
    }

    #[test]
    fn channels_and_filters_fit_the_groups() {
        let options = Conv2dOptions { groups: 2, ..Conv2dOptions::default() };
        assert_eq!(options.sizes(&[3, 4, 1, 1], &[6, 2, 1, 1]).unwrap().response_shape(), [3, 6, 1, 1]);
        for weight in [&[5, 2, 1, 1][..], &[6, 4, 1, 1], &[6, 2, 0, 1], &[6, 2, 1], &[6, 2, 1, 1, 1]] {
            assert!(matches!(options.sizes(&[3, 4, 1, 1], weight), Err(Error::ShapeMismatch { .. })), "{weight:?}");
        }
        assert!(options.sizes(&[4, 1, 1], &[6, 2, 1, 1]).is_err());
        assert!(options.sizes(&[0, 2, 1 << 40, 1 << 40], &[2, 1, 1, 1]).is_err());
    }
}
