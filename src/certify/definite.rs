//! How large the largest eigenvalue of a symmetric matrix can be: a factorisation that exists is a proof.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, Side};

use super::product::{RUN, add_gram, roundings, sum_of_squares};
use crate::operator::enclosure::{gamma, up};

/// A bound of the largest eigenvalue of a symmetric matrix, and the factor that proves it.
pub(super) struct Ceiling {
    /// No eigenvalue is above it.
    pub(super) bound: f64,
    /// L with L Lᵀ ≈ shift - S; inverse iteration with it finds the top eigenvector. `None` where no factorisation
    /// succeeded, and the bound is a norm.
    factor: Option<Llt<f64>>,
}

/// Bounds the largest eigenvalue of the symmetric matrix S, given by its lower triangle. *(C4)*
///
/// Numbers must be of ordinary size: scale S by a power of two before.
pub(super) fn largest_eigenvalue(lower: &Mat<f64>) -> Ceiling {
    let size = lower.nrows();
    let estimate = lower.self_adjoint_eigenvalues(Side::Lower).ok().and_then(|values| values.last().copied());
    let crude = row_sum_bound(lower);
    let Some(estimate) = estimate.filter(|value| value.is_finite()) else {
        return Ceiling { bound: crude, factor: None };
    };
    // The factorisation needs room for its own rounding; where that was too little, four times as much.
    let unit = estimate.abs().max(crude * f64::EPSILON) * f64::EPSILON * size as f64;
    for room in [2.0, 8.0, 32.0, 128.0, 1024.0, 65_536.0] {
        if let Some(ceiling) = factorise(lower, estimate + room * unit) {
            return if ceiling.bound < crude { ceiling } else { Ceiling { bound: crude, ..ceiling } };
        }
    }
    Ceiling { bound: crude, factor: None }
}

/// Tries to prove that no eigenvalue of S is above `shift`, but for rounding.
///
/// With H the rounded shift - S, and L any matrix at all, shift - S = L Lᵀ + E, so that no eigenvalue of S is above
/// shift + ‖E‖: nothing is taken for granted of how L was found.
fn factorise(lower: &Mat<f64>, shift: f64) -> Option<Ceiling> {
    let size = lower.nrows();
    let mut shifted = Mat::zeros(size, size);
    let mut largest = 0f64;
    for col in 0..size {
        for row in col..size {
            shifted[(row, col)] = -lower[(row, col)];
        }
        let diagonal = shift - lower[(col, col)];
        largest = largest.max(diagonal.abs());
        shifted[(col, col)] = diagonal;
    }
    let factor = Llt::new(shifted.as_ref(), Side::Lower).ok()?;
    let triangle = factor.L();
    let (mut product, mut scratch) = (Mat::zeros(size, size), Mat::zeros(size, size));
    let mut squares = 0.0;
    for first in (0..size).step_by(RUN) {
        let (width, rest) = (RUN.min(size - first), size - first);
        let columns = triangle.submatrix(first, first, rest, width);
        // Above its diagonal L is zero, whatever a library leaves there.
        let clean = Mat::from_fn(rest, width, |row, col| if row < col { 0.0 } else { columns[(row, col)] });
        squares += sum_of_squares(clean.as_ref());
        add_gram(product.as_mut().submatrix_mut(first, first, rest, rest), clean.transpose(), &mut scratch);
    }
    let mut error = 0.0;
    for col in 0..size {
        for row in col..size {
            let difference = shifted[(row, col)] - product[(row, col)];
            error += if row == col { difference * difference } else { 2.0 * difference * difference };
        }
    }
    let entries = size * size;
    let sum_above = |sum: f64| up(sum * (1.0 + gamma(entries + 4)));
    // ‖H - fl(L Lᵀ)‖, each difference rounded once more
    let residual = up(up(sum_above(error).sqrt()) * (1.0 + gamma(2)));
    // ‖fl(L Lᵀ) - L Lᵀ‖ <= gamma ‖L‖², and what underflowed
    let rounding = up(gamma(roundings(size)) * sum_above(squares));
    let underflow = entries as f64 * size as f64 * f64::MIN_POSITIVE;
    let diagonal = up(gamma(1) * largest);
    let bound = up(up(up(shift + residual) + rounding) + up(diagonal + underflow));
    bound.is_finite().then_some(Ceiling { bound, factor: Some(factor) })
}

/// The largest sum of magnitudes in a row, rounded up: no eigenvalue is above it.
fn row_sum_bound(lower: &Mat<f64>) -> f64 {
    let size = lower.nrows();
    let mut sums = vec![0.0; size];
    for col in 0..size {
        for row in col..size {
            let magnitude = lower[(row, col)].abs();
            sums[row] += magnitude;
            if row != col {
                sums[col] += magnitude;
            }
        }
    }
    up(sums.into_iter().fold(0.0, f64::max) * (1.0 + gamma(size + 1)))
}

impl Ceiling {
    /// A vector close to the eigenvectors of the largest eigenvalue, by inverse iteration from `start`. Nothing is proven
    /// of it.
    pub(super) fn top_vector(&self, start: Vec<f64>) -> Vec<f64> {
        let Some(factor) = &self.factor else { return start };
        let mut vector = Mat::from_fn(start.len(), 1, |row, _| start[row]);
        for _ in 0..4 {
            vector = factor.solve(&vector);
            let norm = vector.norm_l2();
            if !(norm.is_finite() && norm > 0.0) {
                return start;
            }
            vector = &vector * faer::Scale(1.0 / norm);
        }
        (0..start.len()).map(|row| vector[(row, 0)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symmetric(size: usize, entry: impl Fn(usize, usize) -> f64) -> Mat<f64> {
        Mat::from_fn(size, size, |row, col| entry(row.max(col), row.min(col)))
    }

    #[test]
    fn integers_with_known_eigenvalues_are_enclosed_tightly() {
        for size in [1, 2, 3, 10, 300, 517] {
            // All ones: size. The second difference: 2 + 2 cos(pi / (size + 1)), from above.
            let ones = largest_eigenvalue(&symmetric(size, |_, _| 1.0)).bound;
            assert!(ones >= size as f64 && ones <= size as f64 * (1.0 + 1e-10), "{size}: {ones}");
            let tridiagonal =
                symmetric(size, |row, col| if row == col { 2.0 } else { -f64::from(u8::from(row == col + 1)) });
            let exact = 2.0 + 2.0 * (std::f64::consts::PI / (size as f64 + 1.0)).cos();
            let found = largest_eigenvalue(&tridiagonal).bound;
            assert!(found >= exact * (1.0 - 1e-15) && found <= exact * (1.0 + 1e-10), "{size}: {found}");
        }
    }

    #[test]
    fn degenerate_matrices_have_bounds() {
        assert!(largest_eigenvalue(&Mat::zeros(4, 4)).bound >= 0.0);
        assert!(largest_eigenvalue(&Mat::zeros(4, 4)).bound < 1e-300);
        assert!(largest_eigenvalue(&Mat::identity(9, 9)).bound >= 1.0);
        // negative definite: the bound is above the largest eigenvalue, whatever its sign
        let bound = largest_eigenvalue(&symmetric(3, |row, col| if row == col { -1.0 } else { 0.0 })).bound;
        assert!((-1.0..=1.0).contains(&bound), "{bound}");
    }

    #[test]
    fn a_shift_below_the_largest_eigenvalue_proves_nothing() {
        let ones = symmetric(20, |_, _| 1.0);
        for shift in [10.0, 19.0, 19.999_999] {
            assert!(factorise(&ones, shift).is_none_or(|ceiling| ceiling.bound >= 20.0), "{shift}");
        }
    }

    #[test]
    fn inverse_iteration_finds_the_top_vector() {
        let diagonal = symmetric(6, |row, col| if row == col { 1.0 + row as f64 } else { 0.0 });
        let vector = largest_eigenvalue(&diagonal).top_vector(vec![1.0; 6]);
        assert!((vector[5].abs() - 1.0).abs() < 1e-12);
    }
}
