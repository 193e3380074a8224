//! Balls of `f64` vectors, for statements that hold with all rounding included.

/// All vectors within `radius`, in the 2-norm, of `center`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ball {
    /// The middle.
    pub center: Vec<f64>,
    /// How far the vectors may lie from it.
    pub radius: f64,
}

/// The unit roundoff of `f64`, rounded to nearest.
const UNIT: f64 = f64::EPSILON / 2.0;

/// `gamma(k) = k u / (1 - k u)` rounded up: the relative error of `k` roundings in a row (Higham, *Accuracy and Stability
/// of Numerical Algorithms*, lemma 3.1).
pub(crate) fn gamma(roundings: usize) -> f64 {
    quotient(up(roundings as f64 * UNIT))
}

/// The same for the device's `f32`, whose sums and products WGSL lets be either neighbour of the exact result: u = 2^-23.
pub(crate) fn device_gamma(roundings: usize) -> f64 {
    quotient(up(roundings as f64 * f64::from(f32::EPSILON)))
}

/// x / (1 - x) at the most; infinite where that says nothing.
fn quotient(product: f64) -> f64 {
    let rest = down(1.0 - product);
    if rest > 0.0 { up(product / rest) } else { f64::INFINITY }
}

/// A sum of terms that are not negative, at the most, when the computed one went through so many roundings:
/// computed >= exact (1 - gamma).
pub(crate) fn sum_above(computed: f64, roundings: usize) -> f64 {
    let kept = down(1.0 - gamma(roundings));
    if kept > 0.0 { up(computed / kept) } else { f64::INFINITY }
}

/// A dot product in `f64`, in eight partial sums, which the compiler keeps in registers side by side.
pub(crate) fn dot<T: Copy + Into<f64>>(left: &[T], right: &[f64]) -> f64 {
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

/// A number that is at least the exact result of the one operation that gave `value`.
pub(crate) fn up(value: f64) -> f64 {
    value.next_up()
}

/// A number that is at most the exact result of the one operation that gave `value`.
pub(crate) fn down(value: f64) -> f64 {
    value.next_down()
}

/// An upper bound of the 2-norm of a vector; infinite where an entry is not finite.
pub(crate) fn norm_above(vector: &[f64]) -> f64 {
    let largest = largest(vector);
    if largest == 0.0 || !largest.is_finite() {
        return if largest == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let sum: f64 = vector.iter().map(|value| (value / largest).powi(2)).sum();
    // A quotient, a square and the sum: relative gamma(length + 3), and as much absolutely where a square underflows.
    let square = up(sum_above(sum, vector.len() + 3) + vector.len() as f64 * f64::MIN_POSITIVE);
    up(up(square.sqrt()) * largest)
}

/// A lower bound of the 2-norm of a vector.
pub(crate) fn norm_below(vector: &[f64]) -> f64 {
    let largest = largest(vector);
    if largest == 0.0 || !largest.is_finite() {
        return 0.0;
    }
    let sum: f64 = vector.iter().map(|value| (value / largest).powi(2)).sum();
    let square =
        down(down(sum * down(1.0 - gamma(vector.len() + 4))) - vector.len() as f64 * f64::MIN_POSITIVE).max(0.0);
    (down(down(square.sqrt()) * largest)).max(0.0)
}

/// The largest magnitude; NaN where an entry is, which `f64::max` would pass over.
fn largest(vector: &[f64]) -> f64 {
    let larger = |largest: f64, value: &f64| if value.is_nan() { f64::NAN } else { value.abs().max(largest) };
    vector.iter().fold(0.0, |largest: f64, value| if largest.is_nan() { largest } else { larger(largest, value) })
}

impl Ball {
    /// The one vector, without uncertainty.
    pub fn exact(center: Vec<f64>) -> Self {
        Self { center, radius: 0.0 }
    }

    /// The norm of the center, as near as `f64` gives it.
    pub fn norm(&self) -> f64 {
        let largest = largest(&self.center);
        if largest == 0.0 || !largest.is_finite() {
            return largest;
        }
        self.center.iter().map(|value| (value / largest).powi(2)).sum::<f64>().sqrt() * largest
    }

    /// A lower bound of the norm of every vector of the ball.
    pub fn norm_below(&self) -> f64 {
        down(norm_below(&self.center) - self.radius).max(0.0)
    }

    /// An upper bound of the norm of every vector of the ball.
    pub fn norm_above(&self) -> f64 {
        up(norm_above(&self.center) + self.radius)
    }

    /// A ball that holds `factor · x` for every `x` of this one.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        let center: Vec<_> = self.center.iter().map(|value| value * factor).collect();
        let rounding = up(up(UNIT * norm_above(&center)) + (center.len() as f64).sqrt() * f64::MIN_POSITIVE);
        Self { center, radius: up(up(self.radius * factor.abs()) + up(rounding)) }
    }

    /// A ball that holds `x + y` for every `x` of this one and `y` of the other.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let center: Vec<_> = self.center.iter().zip(&other.center).map(|(left, right)| left + right).collect();
        let rounding = up(UNIT * 2.0 * norm_above(&center));
        Self { center, radius: up(up(self.radius + other.radius) + rounding) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
