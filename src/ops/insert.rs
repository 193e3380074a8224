//! output[outer, first + i, inner] = input[outer, i, inner], with the rest of the axis unchanged.

use super::arguments::Axis;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::tensor::elements;

params! {
    pub(super) struct Params {
        outer: u32,
        length: u32,
        target_length: u32,
        inner: u32,
        first: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("tensor" / "insert", ["group"], [Read, Write], Params, on_host);

/// The place of the written part along the axis of the output of [`insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InsertAt {
    /// The place of the first element.
    pub first: usize,
    /// The size of the axis.
    pub target_length: usize,
}

/// Records output[outer, first + i, inner] = input[outer, i, inner], a part of the axis; the rest of the axis stays
/// unchanged.
///
/// *Shapes*  `input`: outer × length × inner · `output`: outer × target length × inner, where the target length is at
/// least first + length
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short or the part reaches past the axis,
/// [`crate::Error::TooLarge`] past the device's limits.
pub fn insert(
    recorder: &mut Recorder,
    Axis { outer, length, inner }: Axis,
    InsertAt { first, target_length }: InsertAt,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "insert";
    expect_len(operation, "an axis", first.saturating_add(length), target_length)?;
    expect_len(operation, "input", elements(operation, &[outer, length, inner])?, input.len())?;
    expect_len(operation, "output", elements(operation, &[outer, target_length, inner])?, output.len())?;
    word(operation, "the input", input.len())?;
    word(operation, "the output", output.len())?;
    let params = Params {
        outer: word(operation, "the outer size", outer)?,
        length: word(operation, "the length", length)?,
        target_length: word(operation, "the target", target_length)?,
        inner: word(operation, "the inner size", inner)?,
        first: word(operation, "the first place", first)?,
    };
    let grid = Grid::covering(outer * length * inner, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), output.into()])
}

fn on_host(params: &Params, [input, output]: [Words<'_>; 2]) {
    let (input, inner) = (input.read::<u32>(), params.inner as usize);
    let part = params.length as usize * inner;
    let whole = params.target_length as usize * inner;
    let output = output.write::<u32>().chunks_mut(whole.max(1)).take(params.outer as usize);
    for (output, input) in output.zip(input.chunks(part.max(1))) {
        output[params.first as usize * inner..][..part].copy_from_slice(&input[..part]);
    }
}
