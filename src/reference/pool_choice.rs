//! choice = the number of the largest element of each window.

use crate::tensor::{SlidingSizes, volume};

/// The number of the largest element of each window, the first of equal elements; NaN for a NaN. Planes are the batch.
pub fn pool_choice(sizes: &SlidingSizes, image: &[f64]) -> Vec<f64> {
    let mut best: Vec<Option<(f64, usize)>> = vec![None; volume(&sizes.response_shape())];
    sizes.each_term(|pixel, tap, window| {
        let own = image[pixel];
        let is_better = best[window].is_none_or(|(other, _)| !other.is_nan() && (own.is_nan() || own > other));
        if is_better {
            best[window] = Some((own, tap));
        }
    });
    best.into_iter().map(|best| best.map_or(0.0, |(own, tap)| if own.is_nan() { own } else { tap as f64 })).collect()
}
