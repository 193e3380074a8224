//! image = the adjoint of conv2d in its image, applied to a response: a transposed convolution.

use super::check::expect_trips;
use super::declare::kernel;
use super::sliding::{Params, RUN, TILE, TILE_TRIPS, WHOLE, expect_shapes, run_trips};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::add_multiple;
use crate::tensor::SlidingSizes;

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "conv2d_transposed", ["group", "sliding"], [Read, Read, Write], Params, on_host);

/// Records image[n, c, h, w] = Σ response[n, f, y, x] weight[f, c, i, j], the adjoint of [`super::conv2d`] in its
/// image.
///
/// The sum is over the filters of the group of c, and over the windows and their elements with h = y stride + i
/// dilation - padding, and likewise for w.
///
/// *Shapes*  `response`, `weight`, `image`: as in `sizes`
///
/// *Accuracy*  gamma(min(16, filters) + taps · ⌈filters / 16⌉) · Σ|response| |weight|, with the filters of a group and
/// the elements of a window.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits or
/// its loop budget.
pub fn conv2d_transposed(
    recorder: &mut Recorder,
    sizes: &SlidingSizes,
    response: &Buffer<f32>,
    weight: &Buffer<f32>,
    image: &Buffer<f32>,
) -> Result<()> {
    let operation = "conv2d_transposed";
    let (image_role, weight_role) = (("image", sizes.image_shape(), image), ("weight", sizes.weight_shape(), weight));
    expect_shapes(operation, &[image_role, weight_role, ("response", sizes.response_shape(), response)])?;
    let trips = sizes.taps() * (1 + run_trips(sizes.filters)) + 1 + TILE_TRIPS;
    expect_trips(recorder, operation, trips, "split the filters and add the parts")?;
    let pixels = sizes.batch * sizes.image[0] * sizes.image[1];
    let tiles = pixels.div_ceil(TILE) * sizes.channels.div_ceil(TILE) * sizes.groups;
    let grid = Grid::covering(tiles, recorder.device().capabilities().profile.lanes);
    let params = Params::new(operation, sizes, WHOLE)?;
    recorder.dispatch(&KERNEL, grid, &params, &[response.into(), weight.into(), image.into()])
}

fn on_host(params: &Params, [response, weight, image]: [Words<'_>; 3]) {
    let (windows, response, weight) = (params.windows(), response.read::<f32>(), weight.read::<f32>());
    let (groups, channels, filters) = (params.groups as usize, params.channels as usize, params.filters as usize);
    let ([down, across], taps, pixels) = (windows.response, windows.taps(), windows.pixels());
    let output = &mut image.write::<f32>()[..params.batch as usize * groups * channels * pixels];
    each_chunk(output, pixels, down * across * taps * filters, |plane, total| {
        let (item, channel) = (plane / (groups * channels), plane % (groups * channels));
        let first_filter = channel / channels * filters;
        total.fill(0.0);
        let mut run = vec![0.0; across];
        for (tap, y) in (0..taps).flat_map(|tap| (0..down).map(move |y| (tap, y))) {
            let Some((xs, first)) = windows.run([y, tap]) else { continue };
            for step in 0..filters {
                let filter = first_filter + step;
                let weight = weight[(filter * channels + channel % channels) * taps + tap];
                let row = ((item * groups * filters + filter) * down + y) * across;
                add_multiple(weight, &response[row + xs.start..], &mut run[xs.clone()]);
                if (step + 1).is_multiple_of(RUN) || step + 1 == filters {
                    let run = &mut run[xs.clone()];
                    let pixels = total[first..].iter_mut().step_by(windows.stride[1]);
                    pixels.zip(run.iter()).for_each(|(total, run)| *total += run);
                    run.fill(0.0);
                }
            }
        }
    });
}
