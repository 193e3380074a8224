//! output[outer, inner] = Σ input[outer, i, inner].

use super::arguments::Axis;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::sum_rows;
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        outer: u32,
        length: u32,
        inner: u32,
        segment: u32,
        segments: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("tensor" / "sum_axis", ["group", "tree"], [Read, Write], Params, on_host);

/// The number of segments that [`sum_axis`] cuts an axis into.
///
/// Several segments need memory for outer × segments × inner partial sums.
pub fn sum_axis_segments(length: usize) -> Segments {
    Segments::for_lane(length)
}

/// Records output[outer, inner] = Σ input[outer, i, inner]; `partials` holds the sums of segments.
///
/// *Shapes*  `input`: outer × length × inner · `output`: outer × inner · `partials`: outer × segments × inner, for
/// several [`sum_axis_segments`]
///
/// *Accuracy*  gamma(r(segment) + r(segments)) · Σ|input| with r(n) = min(n, 16) - 1 + ⌈log2 ⌈n / 16⌉⌉, the roundings
/// of a run of 16 and of a tree over the runs: 20 for 512 terms, at most 44 for 4 million.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn sum_axis(
    recorder: &mut Recorder,
    Axis { outer, length, inner }: Axis,
    input: &Buffer<f32>,
    partials: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let segments = sum_axis_segments(length);
    if segments.count <= 1 {
        return sum_segments(recorder, Axis { outer, length, inner }, Segments { length, count: 1 }, input, output);
    }
    sum_segments(recorder, Axis { outer, length, inner }, segments, input, partials)?;
    let whole = Segments { length: segments.count, count: 1 };
    sum_segments(recorder, Axis { outer, length: segments.count, inner }, whole, partials, output)
}

/// Records the sums of all segments of an axis.
pub(super) fn sum_segments(
    recorder: &mut Recorder,
    Axis { outer, length, inner }: Axis,
    segments: Segments,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "sum_axis";
    expect_len(operation, "input", volume(&[outer, length, inner]), input.len())?;
    expect_len(operation, "output", volume(&[outer, segments.count, inner]), output.len())?;
    word(operation, "the input", input.len())?;
    let params = Params {
        outer: word(operation, "the outer size", outer)?,
        length: word(operation, "the length", length)?,
        inner: word(operation, "the inner size", inner)?,
        segment: word(operation, "a segment", segments.length)?,
        segments: word(operation, "the segments", segments.count)?,
    };
    let grid = Grid::covering(outer * segments.count * inner, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), output.into()])
}

fn on_host(params: &Params, [input, output]: [Words<'_>; 2]) {
    let input = input.read::<f32>();
    let (length, inner, segment) = (params.length as usize, params.inner as usize, params.segment as usize);
    let segments = params.segments as usize;
    let output = &mut output.write::<f32>()[..params.outer as usize * segments * inner];
    each_chunk(output, inner, inner * segment.min(length), |index, output| {
        let first = index % segments * segment;
        let count = segment.min(length - first);
        let start = (index / segments * length + first) * inner;
        sum_rows(output, count, |row| &input[start + row * inner..]);
    });
}
