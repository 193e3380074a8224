//! output = output + sign · basisᵀ · coefficients.

use super::arguments::{BasisRef, Rows, Segmented};
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{Vectors, add_multiple};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        slots: u32,
        stride: u32,
        vectors: u32,
        length: u32,
        segments: u32,
        sign: f32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("krylov" / "combine", ["group", "mask"], [Read, Read, Read, Write], Params, on_host);

/// Records output = output + sign · basisᵀ · coefficients for each of several vectors.
///
/// The coefficients have `segments` parts, as [`super::project`] writes them.
///
/// *Shapes*  `basis`: slots × stride, each slot vectors × length · `coefficients`: segments × vectors × slots ·
/// `output`: vectors × length
///
/// *Accuracy*  |error| <= gamma(slots + segments + 1) · (|output| + |basis|ᵀ · |coefficients|), entrywise.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits and
/// its loop budget.
pub fn combine(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    BasisRef { buffer: basis, slots, stride }: BasisRef<'_>,
    sign: f32,
    Segmented { buffer: coefficients, count: segments }: Segmented<'_, f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "combine";
    let needed = volume(&[slots.saturating_sub(1), stride]).saturating_add(volume(&[vectors, length]));
    expect_len(operation, "basis", needed, basis.len())?;
    expect_len(operation, "coefficients", volume(&[segments, vectors, slots]), coefficients.len())?;
    expect_len(operation, "output", volume(&[vectors, length]), output.len())?;
    // The test that ends a loop counts as a trip, because lavapipe 22.3 stops 30 000 slots of one segment after 21 845.
    let trips = slots.saturating_mul(segments.saturating_add(2));
    expect_trips(recorder, operation, trips, "add up the segments of the coefficients first")?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params {
        slots: word(operation, "the basis", slots)?,
        stride: word(operation, "the basis", stride)?,
        vectors: word(operation, "the vectors", vectors)?,
        length: word(operation, "the length", length)?,
        segments: word(operation, "the segments", segments)?,
        sign,
        masked,
    };
    let grid = Grid::covering(vectors * length, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[basis.into(), coefficients.into(), (&active).into(), output.into()])
}

fn on_host(params: &Params, [basis, coefficients, mask, output]: [Words<'_>; 4]) {
    let (basis, coefficients) = (basis.read::<f32>(), coefficients.read::<f32>());
    let (slots, count) = (params.slots as usize, params.vectors as usize * params.slots as usize);
    let vectors = Vectors::new(params.length, mask, params.masked).of_work(slots);
    vectors.each_part(params.vectors, output, |vector, place, output| {
        let coefficient = |slot: usize| {
            let parts = coefficients[vector * slots + slot..].iter().step_by(count);
            params.sign * parts.take(params.segments as usize).sum::<f32>()
        };
        for slot in 0..slots {
            add_multiple(coefficient(slot), &basis[slot * params.stride as usize + place..], output);
        }
    });
}
