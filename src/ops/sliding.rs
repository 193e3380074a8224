//! The parameters of every kernel whose windows slide over images.

use std::ops::Range;

use super::check::{expect, expect_len, word};
use super::declare::params;
use super::segments::Segments;
use crate::Result;
use crate::device::Buffer;
use crate::tensor::{SlidingSizes, elements};

params! {
    /// The parameters as in `shaders/lib/sliding.wgsl`.
    pub(super) struct Params {
        image: [u32; 2],
        kernel: [u32; 2],
        stride: [u32; 2],
        padding: [u32; 2],
        dilation: [u32; 2],
        batch: u32,
        groups: u32,
        channels: u32,
        filters: u32,
        segment: u32,
        segments: u32,
    }
}

/// The rows and columns of an invocation's tile, and the products of a run.
pub(super) const TILE: usize = 4;
pub(super) const RUN: usize = 16;

impl Params {
    pub(super) fn new(operation: &'static str, sizes: &SlidingSizes, segments: Segments) -> Result<Self> {
        let pair = |[down, across]: [usize; 2]| -> Result<[u32; 2]> {
            Ok([word(operation, "an axis", down)?, word(operation, "an axis", across)?])
        };
        Ok(Self {
            image: pair(sizes.image)?,
            kernel: pair(sizes.kernel)?,
            stride: pair(sizes.stride)?,
            padding: pair(sizes.padding)?,
            dilation: pair(sizes.dilation)?,
            batch: word(operation, "the batch", sizes.batch)?,
            groups: word(operation, "the groups", sizes.groups)?,
            channels: word(operation, "the channels", sizes.channels)?,
            filters: word(operation, "the filters", sizes.filters)?,
            segment: word(operation, "a segment", segments.length)?,
            segments: word(operation, "the segments", segments.count)?,
        })
    }
}

/// A sum in one segment.
pub(super) const WHOLE: Segments = Segments { length: 0, count: 1 };

/// Refuses buffers that are shorter than their shapes, or longer than `u32` counts.
pub(super) fn expect_shapes(operation: &'static str, buffers: &[(&str, [usize; 4], &Buffer<f32>)]) -> Result<()> {
    buffers.iter().try_for_each(|(role, shape, buffer)| {
        expect_len(operation, role, elements(operation, shape)?, buffer.len())?;
        word(operation, role, buffer.len()).map(|_| ())
    })
}

/// The loop trips of a sum in runs, with the tests that end loops: each run has such a test, and is a trip of the outer
/// loop.
pub(super) fn run_trips(length: usize) -> usize {
    length + 2 * length.div_ceil(RUN) + 1
}

/// The loop trips that write a tile.
pub(super) const TILE_TRIPS: usize = TILE * (TILE + 2) + 1;

/// Refuses sizes of several channels, because pooling works on planes.
pub(super) fn expect_planes(operation: &'static str, sizes: &SlidingSizes) -> Result<()> {
    expect(operation, "channels, filters and groups", &[1; 3], &[sizes.channels, sizes.filters, sizes.groups])
}

/// The windows of an image, as the host goes through them; pairs along height and along width.
pub(super) struct Windows {
    image: [usize; 2],
    kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    /// The number of windows.
    pub(super) response: [usize; 2],
}

impl Params {
    pub(super) fn windows(&self) -> Windows {
        let pair = |pair: [u32; 2]| pair.map(|size| size as usize);
        let (image, kernel, stride) = (pair(self.image), pair(self.kernel), pair(self.stride));
        let (padding, dilation) = (pair(self.padding), pair(self.dilation));
        let response = [0, 1]
            .map(|axis| (image[axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1);
        Windows { image, kernel, stride, padding, dilation, response }
    }
}

impl Windows {
    pub(super) fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The distances of an element of windows from their corners.
    fn offsets(&self, tap: usize) -> [usize; 2] {
        [tap / self.kernel[1] * self.dilation[0], tap % self.kernel[1] * self.dilation[1]]
    }

    /// The pixel under an element of a window; `None` outside the image.
    pub(super) fn pixel(&self, window: [usize; 2], tap: usize) -> Option<usize> {
        let offsets = self.offsets(tap);
        let along = |axis: usize| {
            let place = (window[axis] * self.stride[axis] + offsets[axis]).checked_sub(self.padding[axis])?;
            (place < self.image[axis]).then_some(place)
        };
        Some(along(0)? * self.image[1] + along(1)?)
    }

    /// The elements of a window that lie in the image, with their pixels.
    pub(super) fn of_window(&self, window: [usize; 2]) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.taps()).filter_map(move |tap| Some((tap, self.pixel(window, tap)?)))
    }

    /// The windows of row `y` of which an element lies in the image, and the pixel under the first of them; the others
    /// follow a stride apart.
    pub(super) fn run(&self, [y, tap]: [usize; 2]) -> Option<(Range<usize>, usize)> {
        let ([_, across], [_, stride], [_, padding]) = (self.offsets(tap), self.stride, self.padding);
        let first = padding.saturating_sub(across).div_ceil(stride);
        let end = (self.image[1] + padding).saturating_sub(across).div_ceil(stride).min(self.response[1]);
        if first >= end {
            return None;
        }
        Some((first..end, self.pixel([y, first], tap)?))
    }
}
