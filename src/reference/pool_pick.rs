//! picked = the element of each window that was chosen.

use crate::sliding::Sliding;

/// The element of each window whose number was chosen; 0 where it lies in the padding. Planes are the batch.
pub fn pool_pick(sizes: &Sliding, image: &[f64], choice: &[f64]) -> Vec<f64> {
    let mut picked = vec![0.0; sizes.response_shape().iter().product()];
    sizes.each_term(|pixel, tap, window| {
        if choice[window] == tap as f64 {
            picked[window] = image[pixel];
        }
    });
    picked
}
