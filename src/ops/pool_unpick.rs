//! image = the adjoint of pool_pick in its image.

use super::check::expect_trips;
use super::declare::kernel;
use super::sliding::{Params, WHOLE, expect_planes, expect_shapes};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::SlidingSizes;

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "pool_unpick", ["group", "nan", "sliding"], [Read, Read, Write], Params, on_host);

/// Records image[plane, h, w] = Σ picked[plane, y, x] over the windows that chose this pixel: the adjoint of
/// [`super::pool_pick`] in its image.
///
/// *Shapes*  `picked`, `choice`, `image`: twice the response and the image of `sizes`, as in [`super::pool_choice`]
///
/// *Accuracy*  gamma(windows - 1) · Σ|picked|, over the windows that contain a pixel.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short or there are several channels, [`crate::Error::TooLarge`]
/// past the device's limits or its loop budget.
pub fn pool_unpick(
    recorder: &mut Recorder,
    sizes: &SlidingSizes,
    picked: &Buffer<f32>,
    choice: &Buffer<f32>,
    image: &Buffer<f32>,
) -> Result<()> {
    let operation = "pool_unpick";
    expect_planes(operation, sizes)?;
    let response = sizes.response_shape();
    let buffers = [("image", sizes.image_shape(), image), ("choice", response, choice), ("picked", response, picked)];
    expect_shapes(operation, &buffers)?;
    let [down, across] = [0, 1].map(|axis| {
        let windows = (sizes.kernel[axis] - 1) * sizes.dilation[axis] / sizes.stride[axis] + 1;
        windows.min(sizes.response[axis])
    });
    expect_trips(recorder, operation, down * (across + 2) + 1, "pool in two steps, of smaller windows")?;
    let pixels = sizes.batch * sizes.image[0] * sizes.image[1];
    let grid = Grid::covering(pixels, recorder.device().capabilities().profile.lanes);
    let params = Params::new(operation, sizes, WHOLE)?;
    recorder.dispatch(&KERNEL, grid, &params, &[picked.into(), choice.into(), image.into()])
}

fn on_host(params: &Params, [picked, choice, image]: [Words<'_>; 3]) {
    let (windows, picked, choice) = (params.windows(), picked.read::<f32>(), choice.read::<f32>());
    let [down, across] = windows.response;
    let output = &mut image.write::<f32>()[..params.batch as usize * windows.pixels()];
    each_chunk(output, windows.pixels(), windows.pixels() * 4, |plane, image| {
        image.fill(0.0);
        for window in 0..down * across {
            let place = plane * down * across + window;
            for (tap, pixel) in windows.of_window([window / across, window % across]) {
                if choice[place].is_nan() {
                    image[pixel] = choice[place];
                } else if choice[place] as usize == tap {
                    image[pixel] += picked[place];
                }
            }
        }
    });
}
