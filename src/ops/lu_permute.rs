//! Vectors in the order of the rows of LU factors, or back in their own.

use super::arguments::Factors;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        batch: u32,
        size: u32,
        vectors: u32,
        inverse: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("solve" / "lu_permute", ["group"], [Read, Read, Write], Params, on_host);

/// Records output = P · input for the permutation P of P A = L U, or output = Pᵀ · input where `inverse`.
///
/// *Shapes*  `input`, `output`: batch × vectors × size
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn lu_permute(
    recorder: &mut Recorder,
    factors: Factors<'_>,
    vectors: usize,
    inverse: bool,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "lu_permute";
    let Factors { buffer, batch, size } = factors;
    let elements = volume(&[batch, vectors, size]);
    expect_len(operation, "factors", volume(&[batch, size + 2, size]), buffer.len())?;
    expect_len(operation, "input", elements, input.len())?;
    expect_len(operation, "output", elements, output.len())?;
    word(operation, "the factors", buffer.len())?;
    word(operation, "the input", input.len())?;
    let params = Params {
        batch: word(operation, "the batch", batch)?,
        size: word(operation, "the size", size)?,
        vectors: word(operation, "the vectors", vectors)?,
        inverse: u32::from(inverse),
    };
    let grid = Grid::covering(elements, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[buffer.into(), input.into(), output.into()])
}

fn on_host(params: &Params, [factors, input, output]: [Words<'_>; 3]) {
    let (size, vectors) = (params.size as usize, params.vectors as usize);
    let (factors, input, item) = (factors.read::<f32>(), input.read::<u32>(), Factors::item(params.size));
    let output = &mut output.write::<u32>()[..params.batch as usize * vectors * size];
    each_chunk(output, size, 3 * size, |vector, output| {
        let permutation = &factors[vector / vectors * item + (size + 1) * size..][..size];
        let input = &input[vector * size..][..size];
        for (row, place) in permutation.iter().enumerate() {
            let other = (*place as usize).min(size - 1);
            let (from, to) = if params.inverse != 0 { (row, other) } else { (other, row) };
            output[to] = input[from];
        }
    });
}
