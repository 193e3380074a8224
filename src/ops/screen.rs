//! The largest finite magnitude and the first element that is not finite, of each item of a matrix.

use super::arguments::RowLayout;
use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::Segments;
use super::square_sums::panel_segments;
use crate::Result;
use crate::device::{Buffer, Grid, Recorder, Words, each_chunk};
use crate::native::{Parts, largest_magnitude};
use crate::tensor::stored::Stored;
use crate::tensor::{Panel, volume};

params! {
    pub(super) struct Params {
        items: u32,
        item_quads: u32,
        segments: u32,
        segment_quads: u32,
    }
}

pub(super) static KERNELS: PerStorage = matrix_kernels!("dense" / "screen", ["group"], [Write], Params, on_host);

/// Records the screening of the elements of one panel, and returns the segments of the results.
///
/// *Shapes*  `output`: items × segments, each the bits of a magnitude and an index into the item's padded elements in
/// the panel; `u32::MAX` where all elements are finite.
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the output is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn screen_segments(
    recorder: &mut Recorder,
    panel: &Panel,
    RowLayout { storage, quads }: RowLayout,
    output: &Buffer<[u32; 2]>,
) -> Result<Segments> {
    let operation = "screen";
    let lanes = recorder.device().capabilities().profile.lanes;
    let segments = panel_segments(recorder.device(), panel, quads);
    let items = panel.place.items.len();
    expect_len(operation, "output", volume(&[items, segments.count]), output.len())?;
    let params = Params {
        items: word(operation, "the batch", items)?,
        item_quads: word(operation, "the panel", panel.place.rows.len() * quads)?,
        segments: word(operation, "the panel", segments.count)?,
        segment_quads: word(operation, "the panel", segments.length)?,
    };
    let grid = Grid::covering(items * segments.count, lanes);
    recorder.dispatch(KERNELS.of(storage, panel), grid, &params, &[(&panel.words).into(), output.into()])?;
    Ok(segments)
}

fn on_host<S: Stored>(params: &Params, [matrix, output]: [Words<'_>; 2]) {
    let matrix = matrix.read::<S::Bits>();
    let segments = Parts::new(params.item_quads, params.segments, params.segment_quads);
    let output = &mut output.write::<[u32; 2]>()[..params.items as usize * params.segments as usize];
    each_chunk(output, 1, segments.length, |index, output| {
        let (part, first) = (segments.of(index), index % segments.count * segments.length);
        output[0] = largest_magnitude::<S>(&matrix[part], first as u32);
    });
}
