//! response = the windows of image · weight: the convolution of networks.

use super::check::expect_trips;
use super::declare::kernel;
use super::sliding::{Params, RUN, TILE, TILE_TRIPS, WHOLE, expect_shapes, run_trips};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::add_strided;
use crate::tensor::SlidingSizes;

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "conv2d", ["group", "sliding"], [Read, Read, Write], Params, on_host);

/// Records response[n, f, y, x] = Σ image[n, c, y stride + i dilation - padding, ...] weight[f, c, i, j]: a
/// cross-correlation, as in networks. The sum is over the channels of the group of f and the elements of the window.
///
/// *Shapes*  `image`, `weight`, `response`: as in `sizes`
///
/// *Accuracy*  gamma(min(16, channels) + taps · ⌈channels / 16⌉) · Σ|image| |weight|, with the channels of a group and
/// the elements of a window.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits or
/// its loop budget.
pub fn conv2d(
    recorder: &mut Recorder,
    sizes: &SlidingSizes,
    image: &Buffer<f32>,
    weight: &Buffer<f32>,
    response: &Buffer<f32>,
) -> Result<()> {
    let operation = "conv2d";
    let (image_role, weight_role) = (("image", sizes.image_shape(), image), ("weight", sizes.weight_shape(), weight));
    expect_shapes(operation, &[image_role, weight_role, ("response", sizes.response_shape(), response)])?;
    let trips = sizes.taps() * (1 + run_trips(sizes.channels)) + 1 + TILE_TRIPS;
    expect_trips(recorder, operation, trips, "split the channels and add the parts")?;
    let windows = sizes.batch * sizes.response[0] * sizes.response[1];
    let tiles = windows.div_ceil(TILE) * sizes.filters.div_ceil(TILE) * sizes.groups;
    let grid = Grid::covering(tiles, recorder.device().capabilities().profile.lanes);
    let params = Params::new(operation, sizes, WHOLE)?;
    recorder.dispatch(&KERNEL, grid, &params, &[image.into(), weight.into(), response.into()])
}

fn on_host(params: &Params, [image, weight, response]: [Words<'_>; 3]) {
    let (windows, image, weight) = (params.windows(), image.read::<f32>(), weight.read::<f32>());
    let (groups, channels, filters) = (params.groups as usize, params.channels as usize, params.filters as usize);
    let ([down, across], taps, pixels) = (windows.response, windows.taps(), windows.pixels());
    let output = &mut response.write::<f32>()[..params.batch as usize * groups * filters * down * across];
    each_chunk(output, across, across * taps * channels, |index, total| {
        let (plane, y) = (index / down, index % down);
        let (item, filter) = (plane / (groups * filters), plane % (groups * filters));
        let first_channel = (item * groups + filter / filters) * channels;
        total.fill(0.0);
        let mut run = vec![0.0; across];
        for tap in 0..taps {
            let Some((xs, first)) = windows.run([y, tap]) else { continue };
            for channel in 0..channels {
                let weight = weight[(filter * channels + channel) * taps + tap];
                let row = &image[(first_channel + channel) * pixels + first..];
                add_strided(weight, row, windows.stride[1], &mut run[xs.clone()]);
                if (channel + 1).is_multiple_of(RUN) || channel + 1 == channels {
                    let run = &mut run[xs.clone()];
                    total[xs.clone()].iter_mut().zip(run.iter()).for_each(|(total, run)| *total += run);
                    run.fill(0.0);
                }
            }
        }
    });
}
