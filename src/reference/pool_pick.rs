//! picked = the chosen element of each window.

use crate::tensor::SlidingSizes;

/// The chosen element of each window; 0 for an element in the padding, and NaN for a NaN choice. Planes are the batch.
pub fn pool_pick(sizes: &SlidingSizes, image: &[f64], choice: &[f64]) -> Vec<f64> {
    let mut picked: Vec<f64> = choice.iter().map(|own| if own.is_nan() { *own } else { 0.0 }).collect();
    sizes.each_term(|pixel, tap, window| {
        if choice[window] == tap as f64 {
            picked[window] = image[pixel];
        }
    });
    picked
}
