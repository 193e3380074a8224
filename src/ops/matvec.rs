//! output = matrix · input.

use super::check::{expect, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::matvec_columns::matvec_columns;
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
        segment_quads: u32,
        masked: u32,
    }
}

pub(super) static KERNELS: PerStorage =
    matrix_kernels!("dense" / "matvec", ["group", "mask"], [Read, Read, Write], Params);

const GROUP_ROWS: usize = 4;

/// Records output = matrix · input, for every batch item and column.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × columns × cols ·
/// `output`: batch × columns × rows
///
/// *Accuracy*  |error| <= gamma(⌈s / lanes⌉ + lanes + segments + 1) · |matrix| · |input|, entrywise, where a segment has
/// s = 512 · lanes quads at the most, more past 8192 segments. A column has the same bits whatever the other columns are.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    match input.shape() {
        [_, 0 | 1, _] => record(recorder, "matvec", (&KERNELS, 1), matrix, (input, output)),
        _ => matvec_columns(recorder, matrix, input, output),
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
    let (columns, input_items) = sides(operation, matrix, input, output, matrix.cols(), matrix.rows())?;
    let segments = Segments::for_group(recorder.gpu(), matrix.quads());
    let partial = segments.count > 1;
    let scratch = partial.then(|| recorder.gpu().scratch(operation, segments.count * output.len())).transpose()?;
    let target = scratch.as_deref().unwrap_or(output.buffer());
    let (active, masked) = recorder.mask(matrix.batch() * columns);
    for panel in matrix.panels() {
        let place = &panel.place;
        let blocks = columns.div_ceil(group_columns) * place.rows.len().div_ceil(GROUP_ROWS);
        let groups = blocks * place.items.len() * segments.count;
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
            segments: word(operation, "the columns", segments.count)?,
            segment_quads: word(operation, "the columns", segments.length)?,
            masked,
        };
        let bindings = [(&panel.words).into(), input.buffer().into(), (&active).into(), target.into()];
        recorder.dispatch(kernels.of(matrix.storage()), Grid::groups(groups), &params, &bindings)?;
    }
    if let Some(partials) = &scratch {
        sum_partials(recorder, partials, segments.count, matrix.batch() * columns, matrix.rows(), output.buffer())?;
    }
    Ok(())
}

/// Checks the shapes of a product with a matrix and returns its columns and the batch items of its input.
pub(super) fn sides(
    operation: &'static str,
    matrix: &Matrix,
    input: &Tensor,
    output: &Tensor,
    from: usize,
    to: usize,
) -> Result<(usize, usize)> {
    let (input_items, columns) = match *input.shape() {
        [items, columns, length] if length == from && items > 0 && matrix.batch().is_multiple_of(items) => {
            (items, columns)
        }
        [0, columns, _] if matrix.batch() == 0 => (1, columns),
        _ => {
            expect(operation, "input (batch, columns, length)", &[matrix.batch(), 1, from], input.shape())?;
            (matrix.batch(), 1)
        }
    };
    expect(operation, "output (batch, columns, length)", &[matrix.batch(), columns, to], output.shape())?;
    Ok((columns, input_items))
}
