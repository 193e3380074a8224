//! norm = root of a sum of squares, and output = scale / norm · the sum of partial results - norm · input.

use super::arguments::{Rows, Segmented};
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::normaliser::norm_of;
use super::tree::tree_trips;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{Vectors, combine, tree_of_sums};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        length: u32,
        square_segments: u32,
        segments: u32,
        first_norm: u32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!(
    "krylov" / "remainder",
    ["group", "mask", "tree"],
    [Read, Read, Read, Read, Read, Write, Write],
    Params,
    on_host
);

/// Records norm = root of the sum of squares, and output = scale / norm · the sum of partial results - norm · input,
/// for each of several vectors.
///
/// With the squares and the product back of t = A v, this is alpha = |t|, and Aᵀ t / alpha - alpha v.
///
/// *Shapes*  `input`, `output`: vectors × length · `scale`: vectors · `squares`: segments × vectors · `partials`:
/// segments × vectors × length · `norms`: vectors, from the second of the pair on
///
/// *Accuracy*  relative error <= gamma(s) for the norm, s = (square segments - 1) / 2 + 4.5; |error| <= gamma(s + 2) ·
/// |norm · input| + gamma(s + 4.5 + r) · |scale / norm| · the sum of magnitudes, with r of [`super::sum_partials`].
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits and
/// its loop budget.
pub fn remainder(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    (input, scale): (&Buffer<f32>, &Buffer<f32>),
    (squares, partials): (Segmented<'_, f32>, Segmented<'_, f32>),
    (norms, first_norm): (&Buffer<f32>, usize),
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "remainder";
    let trips = squares.count.saturating_add(tree_trips(partials.count));
    expect_trips(recorder, operation, trips, "add the segments up in several steps")?;
    expect_len(operation, "input", volume(&[vectors, length]), input.len())?;
    expect_len(operation, "output", volume(&[vectors, length]), output.len())?;
    expect_len(operation, "scale", vectors, scale.len())?;
    expect_len(operation, "squares", volume(&[squares.count, vectors]), squares.buffer.len())?;
    expect_len(operation, "partials", volume(&[partials.count, vectors, length]), partials.buffer.len())?;
    expect_len(operation, "norms", first_norm + vectors, norms.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        length: word(operation, "the length", length)?,
        square_segments: word(operation, "the segments", squares.count)?,
        segments: word(operation, "the segments", partials.count)?,
        first_norm: word(operation, "the norms", first_norm)?,
        masked,
    };
    let bindings = [
        input.into(),
        scale.into(),
        squares.buffer.into(),
        partials.buffer.into(),
        (&active).into(),
        norms.into(),
        output.into(),
    ];
    let grid = Grid::covering(vectors * length, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &bindings)
}

fn on_host(params: &Params, [input, scale, squares, partials, mask, norms, output]: [Words<'_>; 7]) {
    let (input, scale, partials) = (input.read::<f32>(), scale.read::<f32>(), partials.read::<f32>());
    let (segments, count) = (params.segments as usize, (params.vectors * params.length) as usize);
    let squares = squares.read::<f32>();
    let vectors = Vectors::new(params.length, mask, params.masked).of_work(segments);
    let norms = &mut norms.write::<f32>()[params.first_norm as usize..][..params.vectors as usize];
    norms.iter_mut().enumerate().filter(|(vector, _)| !vectors.skips(*vector)).for_each(|(vector, norm)| {
        *norm = norm_of(squares, (vector, params.vectors as usize), params.square_segments);
    });
    let norms = &*norms;
    vectors.each_part(params.vectors, output, |vector, place, output| {
        let norm = norms[vector];
        tree_of_sums(output, segments, |segment| &partials[segment * count + place..]);
        combine(-norm, &input[place..], scale[vector] / norm, output);
    });
}
