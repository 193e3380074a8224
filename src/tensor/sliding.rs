//! Windows that slide over images, and the sizes that follow from them: the common part of convolutions and pooling.

use crate::tensor::size::elements;
use crate::{Error, Result};

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

/// The sizes of a convolution, all of which fit; pairs are along height and along width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingSizes {
    /// Images.
    pub batch: usize,
    /// Parts of channels and filters.
    pub groups: usize,
    /// Channels of one group.
    pub channels: usize,
    /// Filters of one group.
    pub filters: usize,
    /// The size of an image.
    pub image: [usize; 2],
    /// The size of a window.
    pub kernel: [usize; 2],
    /// The number of windows.
    pub response: [usize; 2],
    /// The distance from one window to the next.
    pub stride: [usize; 2],
    /// Zeros before the first element and after the last one.
    pub padding: [usize; 2],
    /// The distance from one element of a window to the next.
    pub dilation: [usize; 2],
}

/// Shaders count along one axis of a padded image in 31 bits, with room for a step past it.
const FARTHEST: usize = 1 << 30;

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
        let operation = "convolution";
        let Self { stride, padding, dilation, groups } = self.clone();
        if stride.contains(&0) || dilation.contains(&0) || groups == 0 {
            return Err(Error::InvalidOption {
                operation,
                option: "the stride, the dilation or the groups",
                value: format!("{stride:?}, {dilation:?}, {groups}"),
                allowed: "at least 1",
            });
        }
        let mismatch = || Error::ShapeMismatch {
            operation,
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
            let padded = padding[axis].saturating_mul(2).saturating_add(image_size[axis]);
            let reach = (kernel[axis] - 1).saturating_mul(dilation[axis]);
            let farthest = padded.max(reach).max(stride[axis]).max(dilation[axis]);
            if farthest > FARTHEST {
                return Err(Error::TooLarge {
                    operation,
                    what: "an axis".to_string(),
                    needed: farthest as u64,
                    limit: FARTHEST as u64,
                    advice: "split the image into smaller pieces",
                });
            }
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
            elements(operation, &shape.map(|size| size.max(1)))?;
        }
        Ok(sizes)
    }
}

impl SlidingSizes {
    /// batch × channels × height × width.
    pub fn image_shape(&self) -> [usize; 4] {
        [self.batch, self.groups * self.channels, self.image[0], self.image[1]]
    }

    /// filters × channels / groups × kernel height × kernel width.
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.groups * self.filters, self.channels, self.kernel[0], self.kernel[1]]
    }

    /// batch × filters × windows along height × windows along width.
    pub fn response_shape(&self) -> [usize; 4] {
        [self.batch, self.groups * self.filters, self.response[0], self.response[1]]
    }

    /// Elements of a window.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Whether every window has an element of the image: pooling has no result for padding alone.
    pub(crate) fn is_filled(&self) -> bool {
        (0..2).all(|axis| (0..self.response[axis]).all(|window| self.inside(axis, window) > 0))
    }

    /// The number of elements of a window that lie in the image, along one axis.
    pub(crate) fn inside(&self, axis: usize, window: usize) -> usize {
        let start = window * self.stride[axis];
        // The first element at or past a place of the padded image.
        let from = |place: usize| place.saturating_sub(start).div_ceil(self.dilation[axis]).min(self.kernel[axis]);
        from(self.padding[axis] + self.image[axis]) - from(self.padding[axis])
    }

    /// The place of an element of a window in the image, along one axis; `None` in the padding.
    fn place(&self, axis: usize, window: usize, tap: usize) -> Option<usize> {
        let place = (window * self.stride[axis] + tap * self.dilation[axis]).checked_sub(self.padding[axis])?;
        (place < self.image[axis]).then_some(place)
    }

    /// Calls `visit` with each window of a plane, each element of the window, and the place of the element in the
    /// plane; all row-major.
    pub(crate) fn each_element(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let ([rows, cols], [tall, wide]) = (self.response, self.kernel);
        for window in 0..rows * cols {
            for tap in 0..tall * wide {
                let row = self.place(0, window / cols, tap / wide);
                let col = self.place(1, window % cols, tap % wide);
                if let (Some(row), Some(col)) = (row, col) {
                    visit(window, tap, row * self.image[1] + col);
                }
            }
        }
    }

    /// Calls `visit` with the places of each term image · weight · response of the form whose derivatives are the
    /// convolution and its adjoints.
    pub(crate) fn each_term(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Self { batch, groups, channels, filters, .. } = *self;
        let (pixels, windows, taps) = (self.image[0] * self.image[1], self.response[0] * self.response[1], self.taps());
        for item in 0..batch {
            for filter in 0..groups * filters {
                for channel in 0..channels {
                    let image = (item * groups + filter / filters) * channels + channel;
                    let weight = filter * channels + channel;
                    let response = item * groups * filters + filter;
                    self.each_element(|window, tap, place| {
                        visit(image * pixels + place, weight * taps + tap, response * windows + window);
                    });
                }
            }
        }
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
