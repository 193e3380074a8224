//! response = the windows of image · weight.

use crate::tensor::{SlidingSizes, volume};

/// The sums over windows of image · weight, channels of a group included.
pub fn conv2d(sizes: &SlidingSizes, image: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; volume(&sizes.response_shape())];
    sizes.each_term(|pixel, place, window| sums[window] += image[pixel] * weight[place]);
    sums
}
