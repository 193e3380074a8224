//! weight = the adjoint of conv2d in its weight, applied to a response.

use super::arguments::Axis;
use super::check::{expect_len, expect_trips, word};
use super::declare::kernel;
use super::segments::Segments;
use super::sliding::{Params, TILE, TILE_TRIPS, expect_shapes};
use super::sum_axis::sum_segments;
use super::tree::tree_trips;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::{Asked, Runs, Strided, product};
use crate::tensor::{SlidingSizes, elements, volume};

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "conv2d_weight", ["group", "sliding", "tile_tree"], [Read, Read, Write], Params, on_host);

/// The number of partial sums beyond which segments grow longer, because the device then has enough parallel work.
const PARTIALS: usize = 1 << 22;

/// The number of segments that [`conv2d_weight`] cuts all windows into.
///
/// Several segments need memory for segments × weights partial sums.
pub fn conv2d_weight_segments(sizes: &SlidingSizes) -> Segments {
    let windows = volume(&[sizes.batch, sizes.response[0], sizes.response[1]]);
    let weights = volume(&sizes.weight_shape());
    let segments = Segments::for_lane_of(windows, windows.saturating_mul(weights) / PARTIALS);
    if segments.count <= 1 { Segments { length: windows, count: 1 } } else { segments }
}

/// Records weight[f, c, i, j] = Σ image[n, c, y stride + i dilation - padding, ...] response[n, f, y, x], over all
/// windows.
///
/// This is the adjoint of [`super::conv2d`] in its weight. `partials` holds the sums of segments.
///
/// *Shapes*  `image`, `response`, `weight`: as in `sizes` · `partials`: segments × `weight`, for several
/// [`conv2d_weight_segments`]
///
/// *Accuracy*  gamma(16 + ⌈log2 ⌈segment / 16⌉⌉ + r) · Σ|image| |response|, r = 15 + ⌈log2 ⌈segments / 16⌉⌉.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits or
/// its loop budget.
pub fn conv2d_weight(
    recorder: &mut Recorder,
    sizes: &SlidingSizes,
    image: &Buffer<f32>,
    response: &Buffer<f32>,
    partials: &Buffer<f32>,
    weight: &Buffer<f32>,
) -> Result<()> {
    let operation = "conv2d_weight";
    let (image_role, weight_role) = (("image", sizes.image_shape(), image), ("weight", sizes.weight_shape(), weight));
    expect_shapes(operation, &[image_role, weight_role, ("response", sizes.response_shape(), response)])?;
    let weights = elements(operation, &sizes.weight_shape())?;
    let segments = conv2d_weight_segments(sizes);
    // The budget counts all segments, because a single invocation adds up their sums.
    let trips = tree_trips(segments.length) + TILE_TRIPS;
    expect_trips(recorder, operation, trips.max(tree_trips(segments.count)), "split the batch and add the parts")?;
    let sums = if segments.count > 1 { partials } else { weight };
    expect_len(operation, "partials", elements(operation, &[segments.count, weights])?, sums.len())?;
    word(operation, "partials", sums.len())?;
    let cols = sizes.channels * sizes.taps();
    let tiles = cols.div_ceil(TILE) * sizes.filters.div_ceil(TILE) * sizes.groups * segments.count;
    let grid = Grid::covering(tiles, recorder.device().capabilities().profile.lanes);
    let params = Params::new(operation, sizes, segments)?;
    recorder.dispatch(&KERNEL, grid, &params, &[image.into(), response.into(), sums.into()])?;
    if segments.count <= 1 {
        return Ok(());
    }
    let whole = Segments { length: segments.count, count: 1 };
    sum_segments(recorder, Axis { outer: 1, length: segments.count, inner: weights }, whole, partials, weight)
}

/// By way of the product of all responses of a segment with the images as its windows see them.
fn on_host(params: &Params, [image, response, weight]: [Words<'_>; 3]) {
    let (windows, image, response) = (params.windows(), image.read::<f32>(), response.read::<f32>());
    let (groups, channels, filters) = (params.groups as usize, params.channels as usize, params.filters as usize);
    let (taps, pixels, cols) = (windows.taps(), windows.pixels(), channels * windows.taps());
    let [down, across] = windows.response;
    let (area, segment) = (down * across, params.segment as usize);
    let parts = weight.write::<f32>().chunks_mut((filters * cols).max(1)).take(params.segments as usize * groups);
    for (index, sums) in parts.enumerate() {
        let (first, part) = (index / groups * segment, index % groups);
        let count = segment.min(params.batch as usize * area - first);
        let places = |step: usize| ((first + step) / area, (first + step) % area);
        let mut seen = vec![0.0; cols * count];
        each_chunk(&mut seen, count, count, |col, seen| {
            let (channel, tap) = (col / taps, col % taps);
            for (step, seen) in seen.iter_mut().enumerate() {
                let (item, window) = places(step);
                let plane = (item * groups + part) * channels + channel;
                let pixel = windows.pixel([window / across, window % across], tap);
                *seen = pixel.map_or(0.0, |pixel| image[plane * pixels + pixel]);
            }
        });
        let mut responses = vec![0.0; filters * count];
        each_chunk(&mut responses, count, count, |filter, responses| {
            for (step, own) in responses.iter_mut().enumerate() {
                let (item, window) = places(step);
                *own = response[((item * groups + part) * filters + filter) * area + window];
            }
        });
        let side = |elements| move |_| Strided { elements, across: count, along: 1 };
        product([filters, count, cols], Runs::Of16, Asked::All, side(&responses), side(&seen), sums);
    }
}
