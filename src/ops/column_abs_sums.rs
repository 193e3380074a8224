//! output = |matrix|ᵀ · 1, column by column.

use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::RowSegments;
use crate::Result;
use crate::gpu::{Buffer, Grid, Recorder};
use crate::tensor::{Matrix, volume};

params! {
    pub(super) struct Params {
        items: u32,
        first_item: u32,
        rows: u32,
        quads: u32,
        cols: u32,
        batch: u32,
        segments: u32,
        segment_rows: u32,
        first_segment: u32,
    }
}

pub(super) static KERNELS: PerStorage = matrix_kernels!("dense" / "column_abs_sums", ["group"], [Write], Params);

/// The segments that [`column_abs_sums`] writes for a matrix.
pub(crate) fn column_segments(recorder: &Recorder, matrix: &Matrix) -> usize {
    RowSegments::of(recorder.gpu(), matrix).total
}

/// Records the sum of magnitudes of each column, and returns the number of segments of the results.
///
/// *Shapes*  `output`: segments × batch × cols; a sum is the sum over the segments.
///
/// *Accuracy*  relative error <= gamma(r - 1) in each segment of r rows, as for [`super::matvec_adjoint`].
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the output is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn column_abs_sums(recorder: &mut Recorder, matrix: &Matrix, output: &Buffer<f32>) -> Result<usize> {
    let operation = "column_abs_sums";
    let cuts = RowSegments::of(recorder.gpu(), matrix);
    expect_len(operation, "output", volume(&[cuts.total, matrix.batch(), matrix.cols()]), output.len())?;
    for panel in matrix.panels() {
        let place = &panel.place;
        let segments = place.rows.len().div_ceil(cuts.length);
        let params = Params {
            items: word(operation, "the batch", place.items.len())?,
            first_item: word(operation, "the batch", place.items.start)?,
            rows: word(operation, "the rows", place.rows.len())?,
            quads: word(operation, "the columns", matrix.quads())?,
            cols: word(operation, "the columns", matrix.cols())?,
            batch: word(operation, "the batch", matrix.batch())?,
            segments: word(operation, "the rows", segments)?,
            segment_rows: word(operation, "the rows", cuts.length)?,
            first_segment: word(operation, "the rows", cuts.before(place.rows.start))?,
        };
        let lanes = recorder.gpu().capabilities().profile.lanes;
        let grid = Grid::covering(place.items.len() * segments * matrix.quads(), lanes);
        recorder.dispatch(KERNELS.of(matrix.storage()), grid, &params, &[(&panel.words).into(), output.into()])?;
    }
    Ok(cuts.total)
}
