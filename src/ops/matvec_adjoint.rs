//! output = matrixᵀ · input.

use super::check::word;
use super::declare::{PerStorage, matrix_kernels, params};
use super::matvec::sides;
use super::matvec_adjoint_columns::matvec_adjoint_columns;
use super::segments::Segments;
use super::sum_partials::sum_partials;
use crate::Result;
use crate::gpu::{Grid, Recorder};
use crate::tensor::{Matrix, Tensor};

params! {
    pub(super) struct Params {
        items: u32,
        first_item: u32,
        rows: u32,
        first_row: u32,
        quads: u32,
        cols: u32,
        columns: u32,
        input_items: u32,
        total_rows: u32,
        batch: u32,
        segments: u32,
        segment_rows: u32,
        first_segment: u32,
        masked: u32,
    }
}

pub(super) static KERNELS: PerStorage =
    matrix_kernels!("dense" / "matvec_adjoint", ["group", "mask"], [Read, Read, Write], Params);

const GROUP_QUADS: usize = 4;

/// Records output = matrixᵀ · input, for every batch item and column.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × columns × rows ·
/// `output`: batch × columns × cols
///
/// *Accuracy*  |error| <= gamma(r + segments - 1) · |matrix|ᵀ · |input|, entrywise, where a segment has r rows: 256 on
/// software adapters and 64 on hardware, more past 8192 segments. A column has the same bits whatever the other columns are.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec_adjoint(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    match input.shape() {
        [_, 0 | 1, _] => record(recorder, "matvec_adjoint", (&KERNELS, 1), matrix, (input, output)),
        _ => matvec_adjoint_columns(recorder, matrix, input, output),
    }
}

/// Records a product with a kernel whose groups take so many columns at once.
pub(super) fn record(
    recorder: &mut Recorder,
    operation: &'static str,
    (kernels, group_columns): (&'static PerStorage, usize),
    matrix: &Matrix,
    (input, output): (&Tensor, &Tensor),
) -> Result<()> {
    let (columns, input_items) = sides(operation, matrix, input, output, matrix.rows(), matrix.cols())?;
    let cuts = row_segments(recorder, matrix);
    let scratch = (cuts.total > 1).then(|| recorder.gpu().scratch(operation, cuts.total * output.len())).transpose()?;
    let target = scratch.as_deref().unwrap_or(output.buffer());
    let lanes = recorder.gpu().capabilities().profile.lanes as usize;
    let (active, masked) = recorder.mask(matrix.batch() * columns);
    for panel in matrix.panels() {
        let place = &panel.place;
        let segments = place.rows.len().div_ceil(cuts.length);
        let blocks = matrix.quads().div_ceil(lanes * GROUP_QUADS);
        let params = Params {
            items: word(operation, "the batch", place.items.len())?,
            first_item: word(operation, "the batch", place.items.start)?,
            rows: word(operation, "the rows", place.rows.len())?,
            first_row: word(operation, "the rows", place.rows.start)?,
            quads: word(operation, "the columns", matrix.quads())?,
            cols: word(operation, "the columns", matrix.cols())?,
            columns: word(operation, "the vectors", columns)?,
            input_items: word(operation, "the batch", input_items)?,
            total_rows: word(operation, "the rows", matrix.rows())?,
            batch: word(operation, "the batch", matrix.batch())?,
            segments: word(operation, "the rows", segments)?,
            segment_rows: word(operation, "the rows", cuts.length)?,
            first_segment: word(operation, "the rows", cuts.before(place.rows.start))?,
            masked,
        };
        let grid = Grid::groups(columns.div_ceil(group_columns) * blocks * segments * place.items.len());
        let bindings = [(&panel.words).into(), input.buffer().into(), (&active).into(), target.into()];
        recorder.dispatch(kernels.of(matrix.storage()), grid, &params, &bindings)?;
    }
    if let Some(partials) = &scratch {
        sum_partials(recorder, partials, cuts.total, matrix.batch() * columns, matrix.cols(), output.buffer())?;
    }
    Ok(())
}

/// Segments of rows over all panels of an item; every panel starts a segment of its own.
pub(super) struct RowSegments {
    pub(super) length: usize,
    pub(super) total: usize,
    panel_rows: usize,
}

impl RowSegments {
    /// Segments before the panel that starts at `row`.
    pub(super) fn before(&self, row: usize) -> usize {
        row / self.panel_rows * self.panel_rows.div_ceil(self.length)
    }
}

pub(super) fn row_segments(recorder: &Recorder, matrix: &Matrix) -> RowSegments {
    let length = Segments::for_rows(recorder.gpu(), matrix.rows()).length;
    // All panels of an item but the last have as many rows as the first.
    let panel_rows = matrix.panels().first().map_or(1, |panel| panel.place.rows.len());
    let whole = matrix.rows() / panel_rows * panel_rows.div_ceil(length);
    let total = whole + (matrix.rows() % panel_rows).div_ceil(length);
    RowSegments { length, total, panel_rows }
}
