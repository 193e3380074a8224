//! picked = the chosen element of each window.

use super::declare::kernel;
use super::sliding::{Params, WHOLE, expect_planes, expect_shapes};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::SlidingSizes;

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "pool_pick", ["group", "nan", "sliding"], [Read, Read, Write], Params, on_host);

/// Records picked[plane, y, x] = the element of image whose number in the window is choice[plane, y, x]; 0 for an
/// element outside the image.
///
/// *Shapes*  `image`, `choice`, `picked`: the image and twice the response of `sizes`, as in [`super::pool_choice`]
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short or there are several channels, [`crate::Error::TooLarge`]
/// past the device's limits.
pub fn pool_pick(
    recorder: &mut Recorder,
    sizes: &SlidingSizes,
    image: &Buffer<f32>,
    choice: &Buffer<f32>,
    picked: &Buffer<f32>,
) -> Result<()> {
    let operation = "pool_pick";
    expect_planes(operation, sizes)?;
    let response = sizes.response_shape();
    let buffers = [("image", sizes.image_shape(), image), ("choice", response, choice), ("picked", response, picked)];
    expect_shapes(operation, &buffers)?;
    let windows = sizes.batch * sizes.response[0] * sizes.response[1];
    let grid = Grid::covering(windows, recorder.device().capabilities().profile.lanes);
    let params = Params::new(operation, sizes, WHOLE)?;
    recorder.dispatch(&KERNEL, grid, &params, &[image.into(), choice.into(), picked.into()])
}

fn on_host(params: &Params, [image, choice, picked]: [Words<'_>; 3]) {
    let (windows, image, choice) = (params.windows(), image.read::<u32>(), choice.read::<f32>());
    let [_, across] = windows.response;
    let output = &mut picked.write::<u32>()[..params.batch as usize * windows.response[0] * across];
    each_chunk(output, across, 4 * across, |index, output| {
        let (plane, y) = (index / windows.response[0], index % windows.response[0]);
        for (x, output) in output.iter_mut().enumerate() {
            let choice = choice[index * across + x];
            let tap = (choice as usize).min(windows.taps() - 1);
            let pixel = windows.pixel([y, x], tap).map(|pixel| image[plane * windows.pixels() + pixel]);
            *output = if choice.is_nan() { choice.to_bits() } else { pixel.unwrap_or(0) };
        }
    });
}
