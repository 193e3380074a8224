//! output = coefficient · left · rightᵀ.

use bytemuck::{Pod, Zeroable};

use super::{expect_len, kernel, word};
use crate::gpu::{Buffer, Grid, Kernel, Recorder};
use crate::tensor::{Matrix, Storage, Tensor};
use crate::{Error, Result};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    items: u32,
    first_item: u32,
    rows: u32,
    first_row: u32,
    quads: u32,
    cols: u32,
    total_rows: u32,
    vector_items: u32,
}

pub(super) static KERNEL: Kernel = kernel!("dense" / "outer", ["group"], [Read, Read, Read, Write], Params);

/// Records output = coefficient · left · rightᵀ for each batch item.
///
/// *Shapes*  `coefficients`: batch · `left`: vectors × rows · `right`: vectors × cols, where the batch repeats the
/// vectors a whole number of times · `output`: batch × rows × cols, stored as `f32`
///
/// *Accuracy*  |error| <= gamma(2) · |coefficient · left · rightᵀ|, entrywise.
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
    let vectors = left.len().checked_div(output.rows()).unwrap_or(0);
    if output.panels().is_empty() {
        return Ok(());
    }
    let whole = vectors > 0 && left.len() == vectors * output.rows() && output.batch().is_multiple_of(vectors);
    if !whole || output.storage() != Storage::F32 {
        return Err(Error::ShapeMismatch {
            operation,
            expected: format!("an f32 output whose batch is a multiple of {vectors} vectors"),
            found: format!("{} x {} x {} {:?}", output.batch(), output.rows(), output.cols(), output.storage()),
        });
    }
    expect_len(operation, "coefficients", output.batch(), coefficients.len())?;
    expect_len(operation, "right", vectors * output.cols(), right.len())?;
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
            vector_items: word(operation, "the vectors", vectors)?,
        };
        let grid = Grid::covering(place.row_count() * output.quads(), recorder.gpu().capabilities().profile.lanes);
        let bindings = [coefficients.into(), left.buffer().into(), right.buffer().into(), (&panel.words).into()];
        recorder.dispatch(&KERNEL, grid, &params, &bindings)?;
    }
    Ok(())
}
