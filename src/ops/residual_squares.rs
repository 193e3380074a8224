//! output = |factor · product - sigma · direction|², vector by vector.

use super::arguments::Rows;
use super::check::expect_len;
use super::declare::kernel;
use super::dot::Params;
use super::segments::Segments;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{self, Vectors};
use crate::tensor::volume;

pub(super) static KERNEL: Kernel = kernel!(
    "vector" / "residual_squares",
    ["group", "lane_sum", "mask", "tree"],
    [Read, Read, Read, Read, Read, Write],
    Params,
    on_host
);

/// Records |factor · product - sigma · direction|² for each of several vectors, the square of the residual of a
/// singular pair.
///
/// Returns the segments of the results.
///
/// *Shapes*  `product`, `direction`: vectors × length · `factors`, `sigmas`: vectors · `output`: segments × vectors;
/// the square is the sum over the segments.
///
/// *Accuracy*  with d the exact difference and e = gamma(2) · (|factor · product| + |sigma · direction|) entrywise,
/// |error| <= gamma(r + lanes) · Σ (|d| + e)² + Σ (2 |d| e + e²) in each segment of s elements, with the r of
/// [`super::dot`].
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn residual_squares(
    recorder: &mut Recorder,
    Rows { vectors, length }: Rows,
    product: &Buffer<f32>,
    direction: &Buffer<f32>,
    factors: &Buffer<f32>,
    sigmas: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<Segments> {
    let operation = "residual_squares";
    let segments = Segments::for_group(recorder.device(), length);
    expect_len(operation, "product", volume(&[vectors, length]), product.len())?;
    expect_len(operation, "direction", volume(&[vectors, length]), direction.len())?;
    expect_len(operation, "factors", vectors, factors.len())?;
    expect_len(operation, "sigmas", vectors, sigmas.len())?;
    expect_len(operation, "output", volume(&[vectors, segments.count]), output.len())?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params::new(operation, vectors, length, segments, masked)?;
    let bindings = [product.into(), direction.into(), factors.into(), sigmas.into(), (&active).into(), output.into()];
    recorder.dispatch(&KERNEL, Grid::groups(vectors * segments.count), &params, &bindings)?;
    Ok(segments)
}

fn on_host(params: &Params, [product, direction, factors, sigmas, mask, output]: [Words<'_>; 6]) {
    let (product, direction) = (product.read::<f32>(), direction.read::<f32>());
    let (factors, sigmas) = (factors.read::<f32>(), sigmas.read::<f32>());
    let vectors = Vectors::new(params.length, mask, params.masked);
    vectors.each_segment(params.vectors, (params.segments, params.segment), output, |vector, part, output| {
        let (product, direction) = (&product[part.clone()], &direction[part]);
        *output = native::residual_squares(product, direction, factors[vector], sigmas[vector]);
    });
}
