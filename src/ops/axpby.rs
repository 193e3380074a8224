//! output = sign · a · input + b · output, with coefficients that stay on the device.

use super::arguments::Rows;
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{self, Vectors};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        length: u32,
        first_a: u32,
        sign: f32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("vector" / "axpby", ["group", "mask"], [Read, Read, Read, Read, Write], Params, on_host);

/// The multiples of a vector that [`axpby`] adds: sign · values, a value for each vector.
#[derive(Clone, Copy, Debug)]
pub struct Multiples<'a> {
    /// The sign, or any other factor that all vectors share.
    pub sign: f32,
    /// The factors of the vectors.
    pub values: &'a Buffer<f32>,
    /// The place of the first vector's factor.
    pub first: usize,
}

/// Records output = sign · a · input + b · output for each of several vectors; b = 1 gives *axpy*.
///
/// *Shapes*  `input`, `output`: vectors × length · `a`: vectors, from `first_a` on · `b`: vectors
///
/// *Accuracy*  |error| <= gamma(3) · (|a · input| + |b · output|), entrywise.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn axpby(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    Multiples { sign, values: a, first: first_a }: Multiples<'_>,
    input: &Buffer<f32>,
    b: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "axpby";
    expect_len(operation, "input", volume(&[vectors, length]), input.len())?;
    expect_len(operation, "output", volume(&[vectors, length]), output.len())?;
    expect_len(operation, "a", first_a + vectors, a.len())?;
    expect_len(operation, "b", vectors, b.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        length: word(operation, "the length", length)?,
        first_a: word(operation, "the coefficients", first_a)?,
        sign,
        masked,
    };
    let grid = Grid::covering(vectors * length, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), a.into(), b.into(), (&active).into(), output.into()])
}

fn on_host(params: &Params, [input, a, b, mask, output]: [Words<'_>; 5]) {
    let (vectors, a, b) = (Vectors::new(params.length, mask, params.masked), a.read::<f32>(), b.read::<f32>());
    let input = input.read::<f32>();
    vectors.each_part(params.vectors, output, |vector, place, output| {
        let (a, b) = (params.sign * a[params.first_a as usize + vector], b[vector]);
        native::combine(a, &input[place..], b, output);
    });
}
