//! output = the sum of partial results over their segments.

use super::arguments::{Rows, Segmented};
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::tree::{tree_roundings, tree_trips};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{Vectors, tree_of_sums};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        length: u32,
        segments: u32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("vector" / "sum_partials", ["group", "mask", "tree"], [Read, Read, Write], Params, on_host);

/// The limit of roundings on a partial result's way into the sum: 15 + ⌈log2 ⌈segments / 16⌉⌉ from 16 segments on.
pub fn sum_partials_roundings(segments: usize) -> usize {
    tree_roundings(segments)
}

/// Records the sum of partial results over their segments.
///
/// *Shapes*  `partials`: segments × vectors × length · `output`: vectors × length
///
/// *Accuracy*  |error| <= gamma(min(segments, 16) - 1 + ⌈log2 ⌈segments / 16⌉⌉) · the sum of magnitudes.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits and
/// its loop budget.
pub fn sum_partials(
    recorder: &mut Recorder,
    Segmented { buffer: partials, count: segments }: Segmented<'_, f32>,
    Rows { vectors, length }: Rows,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "sum_partials";
    expect_trips(recorder, operation, tree_trips(segments), "add the segments up in several steps")?;
    expect_len(operation, "partials", volume(&[segments, vectors, length]), partials.len())?;
    expect_len(operation, "output", volume(&[vectors, length]), output.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        length: word(operation, "the length", length)?,
        segments: word(operation, "the segments", segments)?,
        masked,
    };
    let grid = Grid::covering(vectors * length, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[partials.into(), (&active).into(), output.into()])
}

fn on_host(params: &Params, [partials, mask, output]: [Words<'_>; 3]) {
    let partials = partials.read::<f32>();
    let (count, segments) = ((params.vectors * params.length) as usize, params.segments as usize);
    let vectors = Vectors::new(params.length, mask, params.masked).of_work(segments);
    vectors.each_part(params.vectors, output, |_, place, output| {
        tree_of_sums(output, segments, |segment| &partials[segment * count + place..]);
    });
}
