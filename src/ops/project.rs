//! output = basis · input: the coefficients of vectors in their bases.

use super::arguments::{BasisRef, Rows};
use super::check::{expect_len, word};
use super::declare::{kernel, params};
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::{Vectors, dot};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        slots: u32,
        stride: u32,
        vectors: u32,
        length: u32,
        segments: u32,
        segment: u32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("krylov" / "project", ["group", "lane_sum", "mask"], [Read, Read, Read, Write], Params, on_host);

/// Records the coefficients of each vector in its basis, and returns the segments of the results.
///
/// *Shapes*  `basis`: slots × stride, each slot vectors × length · `input`: vectors × length · `output`: segments ×
/// vectors × slots; a coefficient is the sum over the segments.
///
/// *Accuracy*  |error| <= gamma(⌈s / lanes⌉ + lanes - 1) · |basis| · |input| in each segment of s elements.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn project(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    BasisRef { buffer: basis, slots, stride }: BasisRef<'_>,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<Segments> {
    let operation = "project";
    let segments = Segments::for_group(recorder.device(), length);
    let needed = volume(&[slots.saturating_sub(1), stride]).saturating_add(volume(&[vectors, length]));
    expect_len(operation, "basis", needed, basis.len())?;
    expect_len(operation, "input", volume(&[vectors, length]), input.len())?;
    expect_len(operation, "output", volume(&[vectors, slots, segments.count]), output.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params {
        slots: word(operation, "the basis", slots)?,
        stride: word(operation, "the basis", stride)?,
        vectors: word(operation, "the vectors", vectors)?,
        length: word(operation, "the length", length)?,
        segments: word(operation, "the length", segments.count)?,
        segment: word(operation, "the length", segments.length)?,
        masked,
    };
    let grid = Grid::groups(slots * vectors * segments.count);
    recorder.dispatch(&KERNEL, grid, &params, &[basis.into(), input.into(), (&active).into(), output.into()])?;
    Ok(segments)
}

fn on_host(params: &Params, [basis, input, mask, output]: [Words<'_>; 4]) {
    let (basis, input) = (basis.read::<f32>(), input.read::<f32>());
    let vectors = Vectors::new(params.length, mask, params.masked);
    let (slots, count) = (params.slots as usize, params.slots as usize * params.vectors as usize);
    let output = &mut output.write::<f32>()[..count * params.segments as usize];
    each_chunk(output, 1, params.segment.min(params.length) as usize, |index, output| {
        let (slot, vector, segment) = (index % slots, index / slots % params.vectors as usize, index / count);
        if !vectors.skips(vector) {
            let part = vectors.segment(vector, segment, params.segment);
            let first = slot * params.stride as usize;
            output[0] = dot(&basis[first + part.start..first + part.end], &input[part]);
        }
    });
}
