//! output[row, col] = output[col, row] above the diagonal.

use super::check::{expect_f32, word};
use super::declare::{kernel, params};
use crate::device::{Grid, Kernel, Recorder, Words};
use crate::tensor::Matrix;
use crate::{Error, Result};

params! {
    pub(super) struct Params {
        items: u32,
        quads: u32,
        cols: u32,
        source_start: u32,
        source_end: u32,
        target_start: u32,
        target_end: u32,
        own: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("dense" / "mirror", ["group"], [Read, Write], Params, on_host);

/// The columns of a row that a lane writes.
const SPAN: usize = 64;

/// Records a copy of the entries below the diagonal to above: matrix\[row, col\] = matrix\[col, row\] where row < col.
///
/// *Shapes*  `matrix`: batch × cols × cols, stored as `f32`
///
/// *Accuracy*  exact: the bits are moved.
///
/// # Errors
/// [`Error::ShapeMismatch`] when the matrix is not square or not stored as `f32`, [`Error::TooLarge`] past the device's
/// limits.
pub fn mirror(recorder: &mut Recorder, matrix: &Matrix) -> Result<()> {
    let operation = "mirror";
    expect_f32(operation, matrix)?;
    if matrix.rows() != matrix.cols() {
        return Err(Error::ShapeMismatch {
            operation,
            expected: "a square matrix".to_string(),
            found: format!("{} x {}", matrix.rows(), matrix.cols()),
        });
    }
    let lanes = recorder.device().capabilities().profile.lanes as usize;
    for (index, source) in matrix.panels().iter().enumerate() {
        // A panel of several items holds these items whole.
        let targets = matrix.panels()[..=index].iter().filter(|target| target.place.items == source.place.items);
        for target in targets {
            let (from, to) = (&source.place.rows, &target.place.rows);
            let own = from == to;
            // The columns of the padding are written with the columns of the last rows.
            let source_end = if from.end == matrix.cols() { matrix.quads() * 4 } else { from.end };
            let params = Params {
                items: word(operation, "the batch", target.place.items.len())?,
                quads: word(operation, "the columns", matrix.quads())?,
                cols: word(operation, "the columns", matrix.cols())?,
                source_start: word(operation, "the rows", from.start)?,
                source_end: word(operation, "the rows", source_end)?,
                target_start: word(operation, "the rows", to.start)?,
                target_end: word(operation, "the rows", to.end)?,
                own: u32::from(own),
            };
            let spans = (source_end - from.start).div_ceil(SPAN);
            let grid = Grid::groups(to.len().div_ceil(lanes) * spans * target.place.items.len());
            let other = if own { (&recorder.device().placeholder()).into() } else { (&source.words).into() };
            recorder.dispatch(&KERNEL, grid, &params, &[other, (&target.words).into()])?;
        }
    }
    Ok(())
}

fn on_host(params: &Params, [source, output]: [Words<'_>; 2]) {
    let (cols, wide) = (params.cols as usize, 4 * params.quads as usize);
    let (start, end) = (params.source_start as usize, params.source_end as usize);
    let (source, output) = (source.read::<u32>(), output.write::<u32>());
    let rows = (params.target_end - params.target_start) as usize;
    for item in 0..params.items as usize {
        for offset in 0..rows {
            let row = params.target_start as usize + offset;
            for col in start.max(row + 1)..end {
                let place = (item * rows + col - start) * wide + row;
                let bits = match col < cols {
                    true if params.own != 0 => output[place],
                    true => source[place],
                    false => 0,
                };
                output[(item * rows + offset) * wide + col] = bits;
            }
        }
    }
}
