//! output = |matrix| · 1, row by row.

use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Recorder, Words, each_chunk};
use crate::native::magnitudes;
use crate::tensor::stored::Stored;
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

pub(super) static KERNELS: PerStorage = matrix_kernels!("dense" / "row_abs_sums", ["group"], [Write], Params, on_host);

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
        let grid = Grid::covering(place.row_count() * segments.count, recorder.device().capabilities().profile.lanes);
        recorder.dispatch(
            KERNELS.of(matrix.storage(), panel),
            grid,
            &params,
            &[(&panel.words).into(), output.into()],
        )?;
    }
    Ok(segments)
}

fn on_host<S: Stored>(params: &Params, [matrix, output]: [Words<'_>; 2]) {
    let matrix = matrix.read::<S::Bits>();
    let (rows, wide, segment) = (params.rows as usize, 4 * params.quads as usize, 4 * params.segment_quads as usize);
    let (items, total_rows) = (params.items as usize, params.total_rows as usize);
    for (index, output) in output.write::<f32>().chunks_mut(total_rows).enumerate() {
        let (part, item) = (index / params.batch as usize, index % params.batch as usize);
        let Some(local) = item.checked_sub(params.first_item as usize).filter(|local| *local < items) else { continue };
        let of_segment = part * segment..wide.min((part + 1) * segment);
        each_chunk(&mut output[params.first_row as usize..][..rows], 1, of_segment.len(), |row, output| {
            let elements = &matrix[(local * rows + row) * wide..][of_segment.clone()];
            output[0] = magnitudes::<S>(elements);
        });
    }
}
