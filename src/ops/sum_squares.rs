//! output = |factor · input|², vector by vector.

use super::arguments::Rows;
use super::check::expect_len;
use super::declare::kernel;
use super::dot::Params;
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{Vectors, squares};
use crate::tensor::stored::F32;
use crate::tensor::volume;

pub(super) static KERNEL: Kernel = kernel!(
    "vector" / "sum_squares",
    ["group", "lane_sum", "mask", "tree"],
    [Read, Read, Read, Write],
    Params,
    on_host
);

/// Records |factor · input|² for each of several vectors, and returns the segments of the results.
///
/// *Shapes*  `input`: vectors × length · `factors`: vectors · `output`: segments × vectors; the square is the sum over
/// the segments.
///
/// *Accuracy*  relative error <= gamma(r + lanes + 2) in each segment of s elements, with the r of [`super::dot`].
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn sum_squares(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    input: &Buffer<f32>,
    factors: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<Segments> {
    let operation = "sum_squares";
    let segments = Segments::for_group(recorder.device(), length);
    expect_len(operation, "input", volume(&[vectors, length]), input.len())?;
    expect_len(operation, "factors", vectors, factors.len())?;
    expect_len(operation, "output", volume(&[vectors, segments.count]), output.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params::new(operation, vectors, length, segments, masked)?;
    let grid = Grid::groups(vectors * segments.count);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), factors.into(), (&active).into(), output.into()])?;
    Ok(segments)
}

fn on_host(params: &Params, [input, factors, mask, output]: [Words<'_>; 4]) {
    let (input, factors) = (input.read::<f32>(), factors.read::<f32>());
    let vectors = Vectors::new(params.length, mask, params.masked);
    vectors.each_segment(params.vectors, (params.segments, params.segment), output, |vector, part, output| {
        *output = squares::<F32>(&input[part], factors[vector]);
    });
}
