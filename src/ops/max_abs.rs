//! output = (largest finite magnitude, first element that is not finite) of each vector.

use super::arguments::Rows;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{Vectors, largest_magnitude};
use crate::tensor::stored::F32;
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        length: u32,
        segments: u32,
        segment: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("vector" / "max_abs", ["group"], [Read, Write], Params, on_host);

/// Records the largest finite magnitude and the first non-finite element of each of several vectors, and returns the
/// segments of the results.
///
/// *Shapes*  `input`: vectors × length · `output`: segments × vectors, each the bits of a magnitude and an index, which
/// is `u32::MAX` where all elements are finite.
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn max_abs(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    input: &Buffer<f32>,
    output: &Buffer<[u32; 2]>,
) -> Result<Segments> {
    let operation = "max_abs";
    let segments = Segments::for_lane(length);
    expect_len(operation, "input", volume(&[vectors, length]), input.len())?;
    expect_len(operation, "output", volume(&[vectors, segments.count]), output.len())?;
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        length: word(operation, "the length", length)?,
        segments: word(operation, "the length", segments.count)?,
        segment: word(operation, "the length", segments.length)?,
    };
    let grid = Grid::covering(vectors * segments.count, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), output.into()])?;
    Ok(segments)
}

fn on_host(params: &Params, [input, output]: [Words<'_>; 2]) {
    let input = input.read::<f32>();
    let vectors = Vectors::all(params.length);
    vectors.each_segment(params.vectors, (params.segments, params.segment), output, |vector, part, output| {
        let first = (part.start - vectors.part(vector).start) as u32;
        *output = largest_magnitude::<F32>(&input[part], first);
    });
}
