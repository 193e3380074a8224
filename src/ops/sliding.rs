//! The parameters of every kernel whose windows slide over images.

use super::check::{expect, expect_len, word};
use super::declare::params;
use super::segments::Segments;
use crate::Result;
use crate::gpu::Buffer;
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
const RUN: usize = 16;

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
