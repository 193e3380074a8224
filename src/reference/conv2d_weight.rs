//! weight = the adjoint of conv2d in its weight, applied to a response.

use crate::tensor::{SlidingSizes, volume};

/// The sums over all windows of the image's elements in the window times the response of a filter there.
pub fn conv2d_weight(sizes: &SlidingSizes, image: &[f64], response: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; volume(&sizes.weight_shape())];
    sizes.each_term(|pixel, place, window| sums[place] += image[pixel] * response[window]);
    sums
}
