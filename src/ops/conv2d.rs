//! response = the windows of image · weight: the convolution of networks.

use super::check::expect_trips;
use super::declare::kernel;
use super::sliding::{Params, TILE, TILE_TRIPS, WHOLE, expect_shapes, run_trips};
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};
use crate::tensor::SlidingSizes;

pub(super) static KERNEL: Kernel = kernel!("tensor" / "conv2d", ["group", "sliding"], [Read, Read, Write], Params);

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
    let grid = Grid::covering(tiles, recorder.gpu().capabilities().profile.lanes);
    let params = Params::new(operation, sizes, WHOLE)?;
    recorder.dispatch(&KERNEL, grid, &params, &[image.into(), weight.into(), response.into()])
}
