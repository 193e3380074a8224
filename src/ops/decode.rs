//! output = factor · matrix, from any storage to f32.

use super::check::{expect_f32, expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Recorder, Words, each_chunk};
use crate::tensor::Matrix;
use crate::tensor::stored::Stored;

params! {
    pub(super) struct Params {
        first_row: u32,
        item_rows: u32,
        row_count: u32,
        quads: u32,
        source_row: u32,
        target_row: u32,
        segment_quads: u32,
    }
}

pub(super) static KERNELS: PerStorage = matrix_kernels!("dense" / "decode", ["group"], [Read, Write], Params, on_host);

/// Records output = factor · matrix, as `f32`, for each batch item.
///
/// *Shapes*  `matrix`: batch × rows × cols, of any storage · `factors`: batch pairs, whose product is the factor,
/// because a power of two such as 2^140 is no `f32` · `output`: batch × rows × cols, stored as `f32`
///
/// *Accuracy*  two roundings for each entry, and values below 2^-126 may be flushed. With normal powers of two as
/// factors, exact on every adapter wherever the result is an `f32`, subnormal or not; else rounded to the nearest
/// multiple of 2^-149.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes differ, [`crate::Error::InvalidOption`] when the output is not
/// stored as `f32`.
pub fn decode(recorder: &mut Recorder, matrix: &Matrix, factors: &Buffer<[f32; 2]>, output: &Matrix) -> Result<()> {
    let operation = "decode";
    matrix.expect(operation, "an output", output)?;
    expect_len(operation, "factors", matrix.batch(), factors.len())?;
    expect_f32(operation, output)?;
    // Each overlap is a dispatch, because panels of 16-bit elements hold more rows than panels of 32-bit elements.
    for source in matrix.panels() {
        for target in output.panels() {
            let (from, to) = (source.place.flat_rows(matrix.rows()), target.place.flat_rows(matrix.rows()));
            let first = from.start.max(to.start);
            let row_count = from.end.min(to.end).saturating_sub(first);
            if row_count == 0 {
                continue;
            }
            let segments = Segments::for_lane(row_count * matrix.quads());
            let params = Params {
                first_row: word(operation, "the rows", first)?,
                item_rows: word(operation, "the rows", matrix.rows())?,
                row_count: word(operation, "the rows", row_count)?,
                quads: word(operation, "the columns", matrix.quads())?,
                source_row: word(operation, "the rows", first - from.start)?,
                target_row: word(operation, "the rows", first - to.start)?,
                segment_quads: word(operation, "the panel", segments.length)?,
            };
            let grid = Grid::covering(segments.count, recorder.device().capabilities().profile.lanes);
            let bindings = [(&source.words).into(), factors.into(), (&target.words).into()];
            recorder.dispatch(KERNELS.of(matrix.storage(), source), grid, &params, &bindings)?;
        }
    }
    Ok(())
}

fn on_host<S: Stored>(params: &Params, [matrix, factors, output]: [Words<'_>; 3]) {
    let (matrix, factors) = (matrix.read::<S::Bits>(), factors.read::<[f32; 2]>());
    let wide = 4 * params.quads as usize;
    let output = &mut output.write::<f32>()[params.target_row as usize * wide..];
    each_chunk(&mut output[..params.row_count as usize * wide], wide, wide, |row, output| {
        let [one, other] = factors[(params.first_row as usize + row) / params.item_rows as usize].map(f64::from);
        let elements = &matrix[(params.source_row as usize + row) * wide..];
        // Products of three `f32` of the range of factors are exact in `f64`, or rounded once more far below.
        for (output, element) in output.iter_mut().zip(elements) {
            let element = S::widen(*element);
            *output = if element.is_finite() { (f64::from(element) * one * other) as f32 } else { element };
        }
    });
}
