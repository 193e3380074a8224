//! panel = rows without gaps, padded with zeros to whole quads.

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::{Panel, volume};

params! {
    pub(super) struct Params {
        quads: u32,
        cols: u32,
        total_quads: u32,
        segment_quads: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("dense" / "pack", ["group"], [Read, Write], Params, on_host);

/// Records the copy of rows without gaps into a panel, whose rows are padded with zeros to whole quads.
///
/// *Shapes*  `input`: rows of the panel × cols · `panel`: stored as `f32`
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the input is too short.
pub fn pack(recorder: &mut Recorder, input: &Buffer<u32>, panel: &Panel, cols: usize) -> Result<()> {
    let operation = "pack";
    let quads = cols.div_ceil(4);
    let total = panel.place.row_count() * quads;
    expect_len(operation, "input", volume(&[panel.place.row_count(), cols]), input.len())?;
    expect_len(operation, "the panel", volume(&[total, 4]), panel.words.len())?;
    let segments = Segments::for_lane(total);
    let params = Params {
        quads: word(operation, "the columns", quads)?,
        cols: word(operation, "the columns", cols)?,
        total_quads: word(operation, "the panel", total)?,
        segment_quads: word(operation, "the panel", segments.length)?,
    };
    let grid = Grid::covering(segments.count, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), (&panel.words).into()])
}

fn on_host(params: &Params, [input, output]: [Words<'_>; 2]) {
    let (input, cols, wide) = (input.read::<u32>(), params.cols as usize, 4 * params.quads as usize);
    let output = &mut output.write::<u32>()[..4 * params.total_quads as usize];
    each_chunk(output, wide, wide, |row, output| {
        output[..cols].copy_from_slice(&input[row * cols..][..cols]);
        output[cols..].fill(0);
    });
}
