//! Dot products and norms of vectors, the norms as bounds that include their own rounding.

use super::rounding::{down, gamma, sum_above, up};

/// A dot product in `f64`, in eight partial sums.
pub(crate) fn dot<T: Copy + Into<f64>>(left: &[T], right: &[f64]) -> f64 {
    // the compiler keeps eight sums in registers side by side
    let mut sums = [0.0; 8];
    let (left_runs, right_runs) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest: f64 =
        left_runs.remainder().iter().zip(right_runs.remainder()).map(|(left, right)| (*left).into() * right).sum();
    for (left, right) in left_runs.zip(right_runs) {
        for lane in 0..8 {
            sums[lane] += left[lane].into() * right[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// An upper bound of the 2-norm of a vector; infinite where an entry is not finite.
///
/// ```
/// use opnorm::bound::{norm_above, norm_below};
/// assert!(norm_below(&[3.0, 4.0]) <= 5.0 && 5.0 <= norm_above(&[3.0, 4.0]));
/// assert_eq!(norm_above(&[f64::NAN]), f64::INFINITY);
/// ```
pub fn norm_above(vector: &[f64]) -> f64 {
    let largest = largest(vector);
    if largest == 0.0 || !largest.is_finite() {
        return if largest == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let sum: f64 = vector.iter().map(|value| (value / largest).powi(2)).sum();
    // A quotient, a square and the sum: relative gamma(length + 3), and as much absolutely where a square underflows.
    let square = up(sum_above(sum, vector.len() + 3) + vector.len() as f64 * f64::MIN_POSITIVE);
    up(up(square.sqrt()) * largest)
}

/// A lower bound of the 2-norm of a vector; 0 where an entry is not finite.
pub fn norm_below(vector: &[f64]) -> f64 {
    let largest = largest(vector);
    if largest == 0.0 || !largest.is_finite() {
        return 0.0;
    }
    let sum: f64 = vector.iter().map(|value| (value / largest).powi(2)).sum();
    let square =
        down(down(sum * down(1.0 - gamma(vector.len() + 4))) - vector.len() as f64 * f64::MIN_POSITIVE).max(0.0);
    (down(down(square.sqrt()) * largest)).max(0.0)
}

/// The 2-norm, as near as `f64` gives it; infinite or NaN where an entry is.
pub(super) fn norm_of(vector: &[f64]) -> f64 {
    let largest = largest(vector);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    vector.iter().map(|value| (value / largest).powi(2)).sum::<f64>().sqrt() * largest
}

/// The largest magnitude; NaN where an entry is, which `f64::max` would pass over.
fn largest(vector: &[f64]) -> f64 {
    let larger = |largest: f64, value: &f64| if value.is_nan() { f64::NAN } else { value.abs().max(largest) };
    vector.iter().fold(0.0, |largest: f64, value| if largest.is_nan() { largest } else { larger(largest, value) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::Ball;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_a_number_has_no_norm_below_and_none_above() {
        for vector in [vec![f64::NAN], vec![0.0, f64::NAN], vec![f64::NAN, 3.0, 0.0], vec![1.0, f64::INFINITY]] {
            assert_eq!((norm_below(&vector), norm_above(&vector)), (0.0, f64::INFINITY), "{vector:?}");
            assert!(!Ball::exact(vector).norm().is_finite());
        }
    }

    proptest! {
        #[test]
        fn norms_are_enclosed(values in prop::collection::vec(-1000i32..1000, 1..40), exponent in -900i32..900) {
            // Integers have exact sums of squares; a power of two scales the norm exactly.
            let scale = 2f64.powi(exponent);
            let vector: Vec<f64> = values.iter().map(|value| f64::from(*value) * scale).collect();
            let square: i64 = values.iter().map(|value| i64::from(*value).pow(2)).sum();
            let root = (square as f64).sqrt();
            prop_assert!(norm_below(&vector) <= root * (1.0 + 1e-15) * scale);
            prop_assert!(norm_above(&vector) >= root * (1.0 - 1e-15) * scale);
            prop_assert!(norm_above(&vector) <= root * (1.0 + 1e-13) * scale);
            prop_assert!(norm_below(&vector) >= root * (1.0 - 1e-13) * scale);
        }
    }
}
