//! output = coefficient · Σ left · rightᵀ.

use super::check::{expect_f32, expect_trips, word};
use super::declare::{kernel, params};
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::{Matrix, Tensor};
use crate::{Error, Result};

params! {
    pub(super) struct Params {
        items: u32,
        first_item: u32,
        rows: u32,
        first_row: u32,
        quads: u32,
        cols: u32,
        total_rows: u32,
        vector_items: u32,
        vectors: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("dense" / "outer", ["group"], [Read, Read, Read, Write], Params, on_host);

/// Records output = coefficient · Σ left · rightᵀ for each batch item, summed over pairs of vectors.
///
/// *Shapes*  `coefficients`: batch · `left`: items × vectors × rows · `right`: items × vectors × cols, where the batch
/// repeats the items a whole number of times · `output`: batch × rows × cols, stored as `f32`
///
/// *Accuracy*  |error| <= gamma(vectors + 1) · |coefficient| · Σ |left| · |right|ᵀ, entrywise.
///
/// # Errors
/// [`Error::ShapeMismatch`] when the shapes do not fit, [`Error::TooLarge`] past the device's limits.
pub fn outer(
    recorder: &mut Recorder,
    coefficients: &Buffer<f32>,
    left: &Tensor,
    right: &Tensor,
    output: &Matrix,
) -> Result<()> {
    let operation = "outer";
    if output.panels().is_empty() {
        return Ok(());
    }
    expect_f32(operation, output)?;
    let (items, vectors) = match *left.shape() {
        [items, vectors, ..] => (items, vectors),
        _ => (0, 0),
    };
    let whole = items > 0 && left.len() == items * vectors * output.rows() && output.batch().is_multiple_of(items);
    let paired = right.len() == items * vectors * output.cols() && coefficients.len() >= output.batch();
    if !whole || !paired {
        return Err(Error::ShapeMismatch {
            operation,
            expected: format!(
                "coefficients for {} matrices, as many as a multiple of {items}, and vectors of their sides",
                output.batch()
            ),
            found: format!(
                "{} coefficients, vectors {:?} and {:?}, matrices {} x {} x {}",
                coefficients.len(),
                left.shape(),
                right.shape(),
                output.batch(),
                output.rows(),
                output.cols()
            ),
        });
    }
    expect_trips(recorder, operation, 5 * (vectors + 1), "add the pairs up in several steps")?;
    for panel in output.panels() {
        let place = &panel.place;
        let params = Params {
            items: word(operation, "the batch", place.items.len())?,
            first_item: word(operation, "the batch", place.items.start)?,
            rows: word(operation, "the rows", place.rows.len())?,
            first_row: word(operation, "the rows", place.rows.start)?,
            quads: word(operation, "the columns", output.quads())?,
            cols: word(operation, "the columns", output.cols())?,
            total_rows: word(operation, "the rows", output.rows())?,
            vector_items: word(operation, "the vectors", items)?,
            vectors: word(operation, "the vectors", vectors)?,
        };
        let grid = Grid::covering(place.row_count() * output.quads(), recorder.device().capabilities().profile.lanes);
        let bindings = [coefficients.into(), left.buffer().into(), right.buffer().into(), (&panel.words).into()];
        recorder.dispatch(&KERNEL, grid, &params, &bindings)?;
    }
    Ok(())
}

fn on_host(params: &Params, [coefficients, left, right, output]: [Words<'_>; 4]) {
    let (coefficients, left, right) = (coefficients.read::<f32>(), left.read::<f32>(), right.read::<f32>());
    let (rows, cols, wide) = (params.rows as usize, params.cols as usize, 4 * params.quads as usize);
    let (vectors, first_row) = (params.vectors as usize, params.first_row as usize);
    let output = &mut output.write::<f32>()[..params.items as usize * rows * wide];
    each_chunk(output, wide, wide * vectors, |index, output| {
        let (item, row) = (params.first_item as usize + index / rows, first_row + index % rows);
        let first = item % params.vector_items as usize * vectors;
        output.fill(0.0);
        for vector in first..first + vectors {
            let scaled = coefficients[item] * left[vector * params.total_rows as usize + row];
            for (value, right) in output.iter_mut().zip(&right[vector * cols..][..cols]) {
                *value = scaled.mul_add(*right, *value);
            }
        }
    });
}
