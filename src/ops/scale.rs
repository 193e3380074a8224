//! output = factor · input, with factors that stay on the device.

use super::arguments::Rows;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::Vectors;
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        length: u32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("vector" / "scale", ["group", "mask"], [Read, Read, Read, Write], Params, on_host);

/// Records output = factor · input for each of several vectors.
///
/// *Shapes*  `input`, `output`: vectors × length · `factors`: vectors
///
/// *Accuracy*  one rounding.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn scale(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    factors: &Buffer<f32>,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "scale";
    expect_len(operation, "input", volume(&[vectors, length]), input.len())?;
    expect_len(operation, "output", volume(&[vectors, length]), output.len())?;
    expect_len(operation, "factors", vectors, factors.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        length: word(operation, "the length", length)?,
        masked,
    };
    let grid = Grid::covering(vectors * length, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), factors.into(), (&active).into(), output.into()])
}

fn on_host(params: &Params, [input, factors, mask, output]: [Words<'_>; 4]) {
    let (vectors, factors) = (Vectors::new(params.length, mask, params.masked), factors.read::<f32>());
    let input = input.read::<f32>();
    vectors.each_part(params.vectors, output, |vector, place, output| {
        scaled(factors[vector], &input[place..], output);
    });
}

/// output = factor · input
pub(super) fn scaled(factor: f32, input: &[f32], output: &mut [f32]) {
    for (output, input) in output.iter_mut().zip(input) {
        *output = factor * input;
    }
}
