//! The diagonal of U, what was taken from each of its pivots, and the rows of the pivots.

use super::arguments::Factors;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        batch: u32,
        size: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("solve" / "lu_diagonal", ["group"], [Read, Write], Params, on_host);

/// Records for each pivot of factors its value, the sum Σ |L| |U| of the products that were taken from it, and its row.
///
/// *Shapes*  `output`: batch × size × 3
///
/// *Accuracy*  the pivots and rows are exact; gamma(size) of the sums.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn lu_diagonal(recorder: &mut Recorder, factors: Factors<'_>, output: &Buffer<f32>) -> Result<()> {
    let operation = "lu_diagonal";
    let Factors { buffer, batch, size } = factors;
    expect_len(operation, "factors", volume(&[batch, size + 2, size]), buffer.len())?;
    expect_len(operation, "output", volume(&[batch, size, 3]), output.len())?;
    word(operation, "the factors", buffer.len())?;
    expect_trips(recorder, operation, size + 1, "solve systems of this size by an iteration")?;
    let params = Params { batch: word(operation, "the batch", batch)?, size: word(operation, "the size", size)? };
    let grid = Grid::covering(batch * size, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[buffer.into(), output.into()])
}

fn on_host(params: &Params, [factors, output]: [Words<'_>; 2]) {
    let (size, item) = (params.size as usize, Factors::item(params.size));
    let factors = factors.read::<f32>();
    let output = &mut output.write::<f32>()[..params.batch as usize * size * 3];
    each_chunk(output, 3 * size, size * size, |index, output| {
        let (matrix, order) = factors[index * item..][..item].split_at(size * size);
        // Row by row, because a column of U lies across as many lines of the cache.
        for (row, entries) in output.chunks_exact_mut(3).enumerate() {
            entries.copy_from_slice(&[matrix[row * size + row], 0.0, order[row]]);
        }
        for (step, upper) in matrix.chunks_exact(size).enumerate() {
            for row in step + 1..size {
                let product = matrix[row * size + step].abs();
                output[3 * row + 1] = product.mul_add(upper[row].abs(), output[3 * row + 1]);
            }
        }
    });
}
