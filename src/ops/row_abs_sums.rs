//! output = |matrix| · 1, row by row.

use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::Segments;
use crate::Result;
use crate::gpu::{Buffer, Grid, Recorder};
use crate::tensor::{Matrix, volume};

params! {
    pub(super) struct Params {
        items: u32,
        first_item: u32,
        rows: u32,
        first_row: u32,
        quads: u32,
        total_rows: u32,
        batch: u32,
        segments: u32,
        segment_quads: u32,
    }
}

pub(super) static KERNELS: PerStorage = matrix_kernels!("dense" / "row_abs_sums", ["group"], [Write], Params);

/// Records the sum of magnitudes of each row, and returns the segments of the results.
///
/// *Shapes*  `output`: segments × batch × rows; a sum is the sum over the segments.
///
/// *Accuracy*  relative error <= gamma(s + 2) in each segment of s = 512 quads, more past 8192 segments.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the output is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn row_abs_sums(recorder: &mut Recorder, matrix: &Matrix, output: &Buffer<f32>) -> Result<Segments> {
    let operation = "row_abs_sums";
    let segments = Segments::for_lane(matrix.quads());
    expect_len(operation, "output", volume(&[segments.count, matrix.batch(), matrix.rows()]), output.len())?;
    for panel in matrix.panels() {
        let place = &panel.place;
        let params = Params {
            items: word(operation, "the batch", place.items.len())?,
            first_item: word(operation, "the batch", place.items.start)?,
            rows: word(operation, "the rows", place.rows.len())?,
            first_row: word(operation, "the rows", place.rows.start)?,
            quads: word(operation, "the columns", matrix.quads())?,
            total_rows: word(operation, "the rows", matrix.rows())?,
            batch: word(operation, "the batch", matrix.batch())?,
            segments: word(operation, "the columns", segments.count)?,
            segment_quads: word(operation, "the columns", segments.length)?,
        };
        let grid = Grid::covering(place.row_count() * segments.count, recorder.gpu().capabilities().profile.lanes);
        recorder.dispatch(KERNELS.of(matrix.storage()), grid, &params, &[(&panel.words).into(), output.into()])?;
    }
    Ok(segments)
}
