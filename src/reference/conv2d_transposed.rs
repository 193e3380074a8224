//! image = the adjoint of conv2d in its image, applied to a response.

use crate::tensor::{SlidingSizes, volume};

/// Each response times the weights of its filter, added where its window lies.
pub fn conv2d_transposed(sizes: &SlidingSizes, response: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; volume(&sizes.image_shape())];
    sizes.each_term(|pixel, place, window| sums[pixel] += response[window] * weight[place]);
    sums
}
