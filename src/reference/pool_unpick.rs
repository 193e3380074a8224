//! image = the adjoint of pool_pick in its image.

use crate::tensor::{SlidingSizes, volume};

/// Adds each picked element at the place that its window chose; NaN throughout a window whose choice is NaN. Planes are
/// the batch.
pub fn pool_unpick(sizes: &SlidingSizes, picked: &[f64], choice: &[f64]) -> Vec<f64> {
    let mut image = vec![0.0; volume(&sizes.image_shape())];
    sizes.each_term(|pixel, tap, window| {
        if choice[window].is_nan() {
            image[pixel] = choice[window];
        } else if choice[window] == tap as f64 {
            image[pixel] += picked[window];
        }
    });
    image
}
