//! output = |matrix|ᵀ · 1, column by column.

use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::RowSegments;
use crate::Result;
use crate::device::{Buffer, Grid, Recorder, Words, each_chunk};
use crate::tensor::stored::Stored;
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

pub(super) static KERNELS: PerStorage =
    matrix_kernels!("dense" / "column_abs_sums", ["group"], [Write], Params, on_host);

/// The segments that [`column_abs_sums`] writes for a matrix.
pub(crate) fn column_segments(recorder: &Recorder, matrix: &Matrix) -> usize {
    RowSegments::of(recorder.device(), matrix).total
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
    let cuts = RowSegments::of(recorder.device(), matrix);
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
        let lanes = recorder.device().capabilities().profile.lanes;
        let grid = Grid::covering(place.items.len() * segments * matrix.quads(), lanes);
        recorder.dispatch(
            KERNELS.of(matrix.storage(), panel),
            grid,
            &params,
            &[(&panel.words).into(), output.into()],
        )?;
    }
    Ok(cuts.total)
}

fn on_host<S: Stored>(params: &Params, [matrix, output]: [Words<'_>; 2]) {
    let matrix = matrix.read::<S::Bits>();
    let (rows, cols, wide) = (params.rows as usize, params.cols as usize, 4 * params.quads as usize);
    let (items, batch, segment) = (params.items as usize, params.batch as usize, params.segment_rows as usize);
    let output = &mut output.write::<f32>()[params.first_segment as usize * batch * cols..];
    let output = &mut output[..params.segments as usize * batch * cols];
    each_chunk(output, cols, cols * segment.min(rows), |index, sums| {
        let (part, item) = (index / batch, index % batch);
        let Some(local) = item.checked_sub(params.first_item as usize).filter(|local| *local < items) else { return };
        sums.fill(0.0);
        for row in part * segment..rows.min((part + 1) * segment) {
            let elements = &matrix[(local * rows + row) * wide..][..cols];
            sums.iter_mut().zip(elements).for_each(|(sum, element)| *sum += S::widen(*element).abs());
        }
    });
}
