//! output = left · right, for a batch of products.

use bytemuck::{Pod, Zeroable};

use super::{expect_len, expect_trips, kernel, word};
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};

/// Products of one run, and rows and columns of one tile, as in the shader.
const RUN: usize = 16;
const TILE: usize = 4;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    batch: u32,
    rows: u32,
    length: u32,
    cols: u32,
    left_row: u32,
    left_step: u32,
    right_col: u32,
    right_step: u32,
}

pub(super) static KERNEL: Kernel = kernel!("tensor" / "matmul", ["group"], [Read, Read, Write], Params);

/// One side of a product.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its elements, row-major.
    pub buffer: &'a Buffer<f32>,
    /// Whether they are those of its transpose.
    pub transposed: bool,
}

/// Records output = left · right for each item of a batch.
///
/// *Shapes*  `left`: batch × rows × length · `right`: batch × length × cols · `output`: batch × rows × cols
///
/// *Accuracy*  gamma(16 + ⌈length / 16⌉) · |left| · |right|, entrywise.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits or its loop
/// budget.
pub fn matmul(
    recorder: &mut Recorder,
    (batch, rows, length, cols): (usize, usize, usize, usize),
    left: Side,
    right: Side,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "matmul";
    expect_len(operation, "left", batch * rows * length, left.buffer.len())?;
    expect_len(operation, "right", batch * length * cols, right.buffer.len())?;
    expect_len(operation, "output", batch * rows * cols, output.len())?;
    // Each run ends its own loop once more, and the outer one counts it; then the tile is written.
    let trips = length + 2 * length.div_ceil(RUN) + 1 + TILE * (TILE + 2) + 1;
    expect_trips(recorder, operation, trips, "split the product along its inner axis and add the parts")?;
    for (role, buffer) in [("the left side", left.buffer), ("the right side", right.buffer), ("the output", output)] {
        word(operation, role, buffer.len())?;
    }
    let size = |size| word(operation, "an axis", size);
    let (left_row, left_step) = if left.transposed { (1, rows) } else { (length, 1) };
    let (right_col, right_step) = if right.transposed { (length, 1) } else { (1, cols) };
    let params = Params {
        batch: size(batch)?,
        rows: size(rows)?,
        length: size(length)?,
        cols: size(cols)?,
        left_row: size(left_row)?,
        left_step: size(left_step)?,
        right_col: size(right_col)?,
        right_step: size(right_step)?,
    };
    let tiles = batch * rows.div_ceil(TILE) * cols.div_ceil(TILE);
    let grid = Grid::covering(tiles, recorder.gpu().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[left.buffer.into(), right.buffer.into(), output.into()])
}
