//! output[outer, i, inner] = input[outer, i + start, inner], and 0 outside the axis.

use super::arguments::Axis;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::volume;
use crate::{Error, Result};

params! {
    pub(super) struct Params {
        outer: u32,
        source: u32,
        length: u32,
        inner: u32,
        start: i32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("tensor" / "window", ["group"], [Read, Write], Params, on_host);

/// A part of an axis, which may reach past both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The place of the first element.
    pub start: isize,
    /// The number of elements.
    pub length: usize,
}

/// Records output[outer, i, inner] = input[outer, i + start, inner], and 0 where i + start lies outside the axis.
///
/// *Shapes*  `input`: outer × source × inner · `output`: outer × length × inner
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`Error::ShapeMismatch`] when a buffer is too short, [`Error::TooLarge`] past the device's limits or 2^30 along the
/// axis.
pub fn window(
    recorder: &mut Recorder,
    Axis { outer, length: source, inner }: Axis,
    Span { start, length }: Span,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    const FARTHEST: usize = 1 << 30;
    let operation = "window";
    let farthest = start.unsigned_abs().max(source).max(length);
    if farthest > FARTHEST {
        return Err(Error::TooLarge {
            operation,
            what: "an axis".to_string(),
            needed: farthest as u64,
            limit: FARTHEST as u64,
            advice: "split the work into smaller pieces",
        });
    }
    expect_len(operation, "input", volume(&[outer, source, inner]), input.len())?;
    expect_len(operation, "output", volume(&[outer, length, inner]), output.len())?;
    word(operation, "the input", input.len())?;
    word(operation, "the output", output.len())?;
    let params = Params {
        outer: word(operation, "the outer size", outer)?,
        source: source as u32,
        length: length as u32,
        inner: word(operation, "the inner size", inner)?,
        start: start as i32,
    };
    let grid = Grid::covering(outer * length * inner, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), output.into()])
}

fn on_host(params: &Params, [input, output]: [Words<'_>; 2]) {
    let (input, inner) = (input.read::<u32>(), params.inner as usize);
    let (source, length) = (params.source as usize, params.length as usize);
    let output = &mut output.write::<u32>()[..params.outer as usize * length * inner];
    each_chunk(output, inner, inner, |index, output| {
        let place = (index % length).checked_add_signed(params.start as isize);
        match place.filter(|place| *place < source) {
            Some(place) => output.copy_from_slice(&input[(index / length * source + place) * inner..][..inner]),
            None => output.fill(0),
        }
    });
}
