//! Windows that slide over images, and the sizes that follow from them: the common part of convolutions and pooling.

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
