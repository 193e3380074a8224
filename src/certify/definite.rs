//! How large the largest eigenvalue of a symmetric matrix can be: a factorisation that exists is a proof.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, MatRef, Side};

use super::product::{RUN, add_gram, roundings, sum_of_squares};
use crate::norm::random_signs;
use crate::operator::enclosure::{gamma, sum_above, up};

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
///
/// A factorisation of shift - S succeeds once the shift is above the largest eigenvalue by some rounding. The shift comes
/// from Lanczos, which for a spectrum without gaps stays a little below; then a larger shift is taken, and inverse
/// iteration with its factor leads to the eigenvalue. Nothing of this needs to be proven: whatever shift succeeds is a bound.
pub(super) fn largest_eigenvalue(lower: &Mat<f64>) -> Ceiling {
    let crude = row_sum_bound(lower);
    let whole = Mat::from_fn(lower.nrows(), lower.nrows(), |row, col| lower[(row.max(col), row.min(col))]);
    let (mut below, mut step) = estimate(&whole);
    let unit = (below.abs() + crude * f64::EPSILON) * f64::EPSILON * lower.nrows() as f64;
    let mut best = Ceiling { bound: crude, factor: None };
    for _ in 0..ROUNDS {
        let near = [2.0 * unit, 16.0 * unit];
        let far = (0..12).map(|power| step.max(64.0 * unit) * 10f64.powi(power));
        let Some(found) = near.into_iter().chain(far).find_map(|room| factorise(lower, below + room)) else { break };
        let vector = found.top_vector(start(lower.nrows()));
        let quotient = rayleigh(&whole, &vector);
        let distance = found.bound - quotient;
        let tight = distance <= TIGHT * quotient.abs() || distance <= 64.0 * unit;
        // The latest factor leads to the best vector, whichever bound is the least.
        best = Ceiling { bound: found.bound.min(best.bound), ..found };
        if tight || quotient.is_nan() || quotient <= below {
            break;
        }
        // What is left between the quotient and the eigenvalue is less than what lies between it and the shift.
        (below, step) = (quotient, 1e-3 * distance);
    }
    best
}

/// Shifts that succeed, at the most, each closer than the one before.
const ROUNDS: usize = 4;

/// Distance of a bound from the eigenvalue, relative, that no further factorisation is worth.
const TIGHT: f64 = 1e-11;

/// Sides up to which all eigenvalues take less time than looking for one.
const SMALL: usize = 256;

/// Steps of the search at the most.
const STEPS: usize = 100;

/// The largest eigenvalue, or a number below it, and how far below it may be.
fn estimate(whole: &Mat<f64>) -> (f64, f64) {
    let size = whole.nrows();
    if size <= SMALL {
        let values = whole.self_adjoint_eigenvalues(Side::Lower);
        return (values.ok().and_then(|values| values.last().copied()).unwrap_or(0.0), 0.0);
    }
    let steps = STEPS.min(size);
    let mut basis = Mat::<f64>::zeros(size, steps);
    let (mut diagonal, mut off_diagonal) = (Vec::new(), Vec::<f64>::new());
    let mut vector = Mat::from_fn(size, 1, |row, _| start(size)[row]);
    let mut found: (f64, f64) = (0.0, f64::INFINITY);
    let mut largest = 0f64;
    for step in 0..steps {
        let norm = vector.norm_l2();
        if norm.is_nan() || norm <= 4.0 * f64::EPSILON * largest {
            return top_of(&diagonal, &off_diagonal, 0.0);
        }
        largest = largest.max(if step > 0 { norm } else { 0.0 });
        if step > 0 {
            off_diagonal.push(norm);
        }
        (0..size).for_each(|row| basis[(row, step)] = vector[(row, 0)] / norm);
        vector = whole * basis.subcols(step, 1);
        let value = (basis.subcols(step, 1).transpose() * &vector)[(0, 0)];
        largest = largest.max(value.abs());
        diagonal.push(value);
        let known = basis.subcols(0, step + 1);
        for _ in 0..2 {
            let parts = known.transpose() * &vector;
            vector -= known * &parts;
        }
        if step % 10 == 9 || step + 1 == steps {
            found = top_of(&diagonal, &off_diagonal, vector.norm_l2());
            if found.1 <= 1e-9 * found.0 {
                break;
            }
        }
    }
    found
}

/// The largest eigenvalue of a tridiagonal matrix and its residual in the whole space.
fn top_of(diagonal: &[f64], off_diagonal: &[f64], next: f64) -> (f64, f64) {
    let size = diagonal.len();
    if size == 0 {
        return (0.0, f64::INFINITY);
    }
    let small = Mat::from_fn(size, size, |row, col| match row.abs_diff(col) {
        0 => diagonal[row],
        1 => off_diagonal[row.min(col)],
        _ => 0.0,
    });
    match small.self_adjoint_eigen(Side::Lower) {
        Ok(eigen) => (eigen.S()[size - 1], next * eigen.U()[(size - 1, size - 1)].abs()),
        Err(_) => (0.0, f64::INFINITY),
    }
}

fn rayleigh(whole: &Mat<f64>, vector: &[f64]) -> f64 {
    let column = Mat::from_fn(vector.len(), 1, |row, _| vector[row]);
    (column.transpose() * (whole * &column))[(0, 0)] / column.squared_norm_l2()
}

/// A vector without zeros or symmetry, so that it has a part along any eigenvector one is likely to meet.
pub(super) fn start(size: usize) -> Vec<f64> {
    random_signs(size).into_iter().enumerate().map(|(index, sign)| sign * (1.0 + (index % 7) as f64 / 8.0)).collect()
}

/// Tries to prove that no eigenvalue of S is above `shift`, but for rounding.
fn factorise(lower: &Mat<f64>, shift: f64) -> Option<Ceiling> {
    let (shifted, largest) = shifted(lower, shift);
    let factor = Llt::new(shifted.as_ref(), Side::Lower).ok()?;
    let bound = up(up(shift + distance(&shifted, factor.L())) + up(gamma(1) * largest));
    bound.is_finite().then_some(Ceiling { bound, factor: Some(factor) })
}

/// The lower triangle of H, which is shift - S but for the rounding of its diagonal, and the largest entry of that.
fn shifted(lower: &Mat<f64>, shift: f64) -> (Mat<f64>, f64) {
    let size = lower.nrows();
    let mut shifted = Mat::zeros(size, size);
    let mut largest = 0f64;
    for col in 0..size {
        for row in col + 1..size {
            shifted[(row, col)] = -lower[(row, col)];
        }
        let diagonal = shift - lower[(col, col)];
        largest = largest.max(diagonal.abs());
        shifted[(col, col)] = diagonal;
    }
    (shifted, largest)
}

/// ‖H - L Lᵀ‖ at the most, for a symmetric H given by its lower triangle and the lower triangle of any L at all: nothing is
/// taken for granted of how L was found.
fn distance(symmetric: &Mat<f64>, triangle: MatRef<'_, f64>) -> f64 {
    let size = symmetric.nrows();
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
            let difference = symmetric[(row, col)] - product[(row, col)];
            error += if row == col { difference * difference } else { 2.0 * difference * difference };
        }
    }
    let entries = size * size;
    // ‖H - fl(L Lᵀ)‖, each difference rounded once more
    let residual = up(up(sum_above(error, entries + 2).sqrt()) * (1.0 + gamma(2)));
    // ‖fl(L Lᵀ) - L Lᵀ‖ <= gamma ‖L‖², and what underflowed
    let rounding = up(gamma(roundings(size)) * sum_above(squares, entries));
    up(up(residual + rounding) + entries as f64 * size as f64 * f64::MIN_POSITIVE)
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
    sum_above(sums.into_iter().fold(0.0, f64::max), size)
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

    /// Whatever L is, the shift and the distance together are above every eigenvalue: also where L is no factor at all, and
    /// where the shift is far too low.
    #[test]
    fn any_triangle_proves_a_true_bound() {
        for size in [1, 7, 40, 300] {
            let ones = symmetric(size, |_, _| 1.0); // largest eigenvalue: size
            for shift in [-3.0, 0.0, 0.5 * size as f64, 0.999 * size as f64, size as f64, 2.0 * size as f64] {
                let (shifted, _) = shifted(&ones, shift);
                let right = Llt::new(
                    symmetric(size, |row, col| if row == col { 2.0 } else { -1.0 / size as f64 }).as_ref(),
                    Side::Lower,
                );
                let right = right.unwrap().L().to_owned();
                for triangle in [Mat::zeros(size, size), Mat::identity(size, size), &right * faer::Scale(3.0), right] {
                    let bound = shift + distance(&shifted, triangle.as_ref());
                    assert!(bound >= size as f64 * (1.0 - 1e-15), "{size}, {shift}: {bound}");
                }
            }
        }
        // And it is the distance, not something larger: exact for the identity.
        let distance = distance(&Mat::identity(5, 5), Mat::<f64>::zeros(5, 5).as_ref());
        assert!((distance - 5f64.sqrt()).abs() < 1e-13, "{distance}");
    }

    #[test]
    fn inverse_iteration_finds_the_top_vector() {
        let diagonal = symmetric(6, |row, col| if row == col { 1.0 + row as f64 } else { 0.0 });
        let vector = largest_eigenvalue(&diagonal).top_vector(vec![1.0; 6]);
        assert!((vector[5].abs() - 1.0).abs() < 1e-12);
    }
}
