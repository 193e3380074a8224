//! choice = the number of the largest element of each window.

use super::check::expect_trips;
use super::declare::kernel;
use super::sliding::{Params, WHOLE, expect_planes, expect_shapes};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::SlidingSizes;

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "pool_choice", ["group", "nan", "sliding", "order"], [Read, Write], Params, on_host);

/// Records choice[plane, y, x] = the number, counted row by row, of the largest element of the window within the image.
/// The choice is the first of equal elements, or the first NaN.
///
/// *Shapes*  `image`, `choice`: the image and the response of `sizes`, whose planes are its batch; channels, filters
/// and groups are 1
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short or there are several channels, [`crate::Error::TooLarge`]
/// past the device's limits or its loop budget.
pub fn pool_choice(
    recorder: &mut Recorder,
    sizes: &SlidingSizes,
    image: &Buffer<f32>,
    choice: &Buffer<f32>,
) -> Result<()> {
    let operation = "pool_choice";
    expect_planes(operation, sizes)?;
    expect_shapes(operation, &[("image", sizes.image_shape(), image), ("choice", sizes.response_shape(), choice)])?;
    expect_trips(recorder, operation, sizes.taps() + 1, "pool in two steps, of smaller windows")?;
    let windows = sizes.batch * sizes.response[0] * sizes.response[1];
    let grid = Grid::covering(windows, recorder.device().capabilities().profile.lanes);
    let params = Params::new(operation, sizes, WHOLE)?;
    recorder.dispatch(&KERNEL, grid, &params, &[image.into(), choice.into()])
}

fn on_host(params: &Params, [image, choice]: [Words<'_>; 2]) {
    let (windows, image) = (params.windows(), image.read::<f32>());
    let area = windows.response[0] * windows.response[1];
    let output = &mut choice.write::<f32>()[..params.batch as usize * area];
    each_chunk(output, windows.response[1], windows.response[1] * windows.taps(), |index, output| {
        let (plane, y) = (index / windows.response[0], index % windows.response[0]);
        let image = &image[plane * windows.pixels()..];
        for (x, output) in output.iter_mut().enumerate() {
            let mut best: Option<(f32, usize)> = None;
            for (tap, pixel) in windows.of_window([y, x]) {
                let own = image[pixel];
                if best.is_none_or(|(other, _)| !other.is_nan() && (own.is_nan() || own > other)) {
                    best = Some((own, tap));
                }
            }
            *output = best.map_or(0.0, |(own, tap)| if own.is_nan() { own } else { tap as f32 });
        }
    });
}
