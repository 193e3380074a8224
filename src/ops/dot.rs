//! output = left · right, vector by vector.

use super::arguments::Rows;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{self, Vectors};
use crate::tensor::volume;

params! {
    /// The parameters of every reduction over vectors.
    pub(super) struct Params {
        vectors: u32,
        length: u32,
        segments: u32,
        segment: u32,
        masked: u32,
    }
}

impl Params {
    pub(super) fn new(
        operation: &'static str,
        vectors: usize,
        length: usize,
        segments: Segments,
        masked: u32,
    ) -> Result<Self> {
        Ok(Self {
            vectors: word(operation, "the vectors", vectors)?,
            length: word(operation, "the length", length)?,
            segments: word(operation, "the length", segments.count)?,
            segment: word(operation, "the length", segments.length)?,
            masked,
        })
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("vector" / "dot", ["group", "lane_sum", "mask", "tree"], [Read, Read, Read, Write], Params, on_host);

/// Records left · right for each of several vectors, and returns the segments of the results.
///
/// *Shapes*  `left`, `right`: vectors × length · `output`: segments × vectors; the product is the sum over the
/// segments.
///
/// *Accuracy*  |error| <= gamma(r + lanes) · |left| · |right| in each segment of s elements, r = 15 +
/// ⌈log2 ⌈s / (16 lanes)⌉⌉: runs of 16 and a tree of their sums, then the lanes in order.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn dot(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    left: &Buffer<f32>,
    right: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<Segments> {
    let operation = "dot";
    let segments = Segments::for_group(recorder.device(), length);
    expect_len(operation, "left", volume(&[vectors, length]), left.len())?;
    expect_len(operation, "right", volume(&[vectors, length]), right.len())?;
    expect_len(operation, "output", volume(&[vectors, segments.count]), output.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params::new(operation, vectors, length, segments, masked)?;
    let grid = Grid::groups(vectors * segments.count);
    recorder.dispatch(&KERNEL, grid, &params, &[left.into(), right.into(), (&active).into(), output.into()])?;
    Ok(segments)
}

fn on_host(params: &Params, [left, right, mask, output]: [Words<'_>; 4]) {
    let (left, right) = (left.read::<f32>(), right.read::<f32>());
    let vectors = Vectors::new(params.length, mask, params.masked);
    vectors.each_segment(params.vectors, (params.segments, params.segment), output, |_, part, output| {
        *output = native::dot(&left[part.clone()], &right[part]);
    });
}
