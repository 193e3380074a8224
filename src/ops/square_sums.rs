//! Sums of squares of the elements of one panel: the Frobenius norm squared, in segments.

use super::arguments::RowLayout;
use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Device, Grid, Recorder, Words, each_chunk};
use crate::native::{Parts, squares};
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

pub(super) static KERNELS: PerStorage = matrix_kernels!("dense" / "square_sums", ["group"], [Write], Params, on_host);

/// The segments of [`square_sums`] and [`super::screen_segments`] for each item of a panel.
pub(crate) fn panel_segments(device: &Device, panel: &Panel, quads: usize) -> Segments {
    let lanes = device.capabilities().profile.lanes;
    let segments = Segments::for_lane(panel.place.rows.len() * quads);
    // Segments of neighbouring lanes interleave, so that a tile of segments is always whole.
    Segments { length: segments.length, count: segments.count.next_multiple_of(lanes as usize) }
}

/// Records the sums of squares of the elements of one panel, and returns the segments of the results.
///
/// *Shapes*  `output`: items × segments; an item's sum is the sum over its segments, over all panels.
///
/// *Accuracy*  relative error <= gamma(s + 3) in each segment of s = 512 quads, more past 8192 segments.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the output is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn square_sums(
    recorder: &mut Recorder,
    panel: &Panel,
    RowLayout { storage, quads }: RowLayout,
    output: &Buffer<f32>,
) -> Result<Segments> {
    let operation = "square_sums";
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
    let output = &mut output.write::<f32>()[..params.items as usize * params.segments as usize];
    each_chunk(output, 1, segments.length, |index, output| {
        let elements = &matrix[segments.of(index)];
        output[0] = squares::<S>(elements, 1.0);
    });
}
