//! Estimates of the largest eigenvalue of a symmetric matrix and of its vector, in `f64` and without proof.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, Side};

use crate::iterate::random_signs;

/// The side up to which all eigenvalues take less time than a search for the largest.
const SMALL: usize = 256;

/// An estimate of the largest eigenvalue.
pub(super) struct Guess {
    pub(super) value: f64,
    /// The expected distance of the eigenvalue above the estimate; 0 where only rounding lies between.
    pub(super) distance: f64,
}

/// The largest eigenvalue, by Lanczos for large matrices: an estimate from below where the spectrum is dense at its
/// edge.
pub(super) fn look(whole: &Mat<f64>) -> Guess {
    if whole.nrows() <= SMALL {
        return Guess { value: from_all(whole).unwrap_or(0.0), distance: 0.0 };
    }
    let found = lanczos(|vector| whole * vector, start(whole.nrows()), Steps { most: 100, check: 10, tolerance: 1e-9 });
    let distance = if found.residual <= 1e-9 * found.value { 0.0 } else { found.residual };
    Guess { value: found.value, distance }
}

/// The largest of all eigenvalues, in time of side³.
pub(super) fn from_all(whole: &Mat<f64>) -> Option<f64> {
    whole.self_adjoint_eigenvalues(Side::Lower).ok()?.last().copied()
}

/// The vector of the largest eigenvalue and its Rayleigh quotient, by Lanczos with the inverse of the factored shift -
/// S.
///
/// The inverse spreads the eigenvalues next to the shift far apart, however dense they are.
pub(super) fn refine(whole: &Mat<f64>, factor: &Llt<f64>) -> (f64, Vec<f64>) {
    let steps = Steps { most: 60, check: 1, tolerance: 1e-8 };
    let vector = lanczos(|vector| factor.solve(vector), start(whole.nrows()), steps).vector;
    let column = Mat::from_fn(vector.len(), 1, |row, _| vector[row]);
    let quotient = (column.transpose() * (whole * &column))[(0, 0)] / column.squared_norm_l2();
    (quotient, vector)
}

/// A vector without zeros or symmetry, which has a part along practically any eigenvector.
pub(super) fn start(size: usize) -> Vec<f64> {
    random_signs(size).into_iter().enumerate().map(|(index, sign)| sign * (1.0 + (index % 7) as f64 / 8.0)).collect()
}

/// The limits of an iteration.
struct Steps {
    most: usize,
    /// The number of steps between two looks at the residual.
    check: usize,
    /// The residual at which the search stops, relative to the value.
    tolerance: f64,
}

/// The largest Ritz value, its residual and its vector.
struct Ritz {
    value: f64,
    residual: f64,
    vector: Vec<f64>,
}

fn lanczos(product: impl Fn(&Mat<f64>) -> Mat<f64>, start: Vec<f64>, steps: Steps) -> Ritz {
    let (size, most) = (start.len(), steps.most.min(start.len()));
    let mut basis = Mat::<f64>::zeros(size, most);
    let (mut diagonal, mut off_diagonal) = (Vec::new(), Vec::<f64>::new());
    let mut vector = Mat::from_fn(size, 1, |row, _| start[row]);
    let mut largest = 0f64;
    let mut best = Ritz { value: 0.0, residual: f64::INFINITY, vector: start };
    for step in 0..most {
        let norm = vector.norm_l2();
        (0..size).for_each(|row| basis[(row, step)] = vector[(row, 0)] / norm);
        if step > 0 {
            off_diagonal.push(norm);
            largest = largest.max(norm);
        }
        vector = product(&basis.subcols(step, 1).to_owned());
        let value = (basis.subcols(step, 1).transpose() * &vector)[(0, 0)];
        largest = largest.max(value.abs());
        diagonal.push(value);
        let known = basis.subcols(0, step + 1);
        for _ in 0..2 {
            let parts = known.transpose() * &vector;
            vector -= known * &parts;
        }
        let next = vector.norm_l2();
        // The search ends where the space is invariant, or at NaN.
        let is_last = step + 1 == most || next.is_nan() || next <= 4.0 * f64::EPSILON * largest;
        if is_last || step % steps.check == steps.check - 1 {
            let Some((value, weights)) = top(&diagonal, &off_diagonal) else { return best };
            let residual = next * weights[weights.len() - 1].abs();
            if is_last || residual <= steps.tolerance * value {
                let combined = known * Mat::from_fn(weights.len(), 1, |row, _| weights[row]);
                let vector: Vec<f64> = combined.col(0).iter().copied().collect();
                if value.is_finite() && vector.iter().all(|entry| entry.is_finite()) {
                    best = Ritz { value, residual, vector };
                }
                return best;
            }
        }
    }
    best
}

/// The largest eigenvalue of a tridiagonal matrix and its vector.
fn top(diagonal: &[f64], off_diagonal: &[f64]) -> Option<(f64, Vec<f64>)> {
    let size = diagonal.len();
    let small = Mat::from_fn(size, size, |row, col| match row.abs_diff(col) {
        0 => diagonal[row],
        1 => off_diagonal[row.min(col)],
        _ => 0.0,
    });
    let eigen = small.self_adjoint_eigen(Side::Lower).ok()?;
    let last = size.checked_sub(1)?;
    Some((eigen.S()[last], (0..size).map(|row| eigen.U()[(row, last)]).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 - 2 cos(k pi / (size + 1)): the eigenvalues of the second difference, which are dense at the edge.
    fn second_difference(size: usize) -> (Mat<f64>, f64) {
        let matrix = Mat::from_fn(size, size, |row, col| match row.abs_diff(col) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        });
        (matrix, 2.0 + 2.0 * (std::f64::consts::PI / (size as f64 + 1.0)).cos())
    }

    #[test]
    fn a_dense_edge_is_seen_from_below_and_then_found() {
        for size in [1, 2, 100, 300, 517] {
            let (matrix, exact) = second_difference(size);
            let guess = look(&matrix);
            assert!(guess.value <= exact * (1.0 + 1e-14), "{size}");
            assert!(exact <= guess.value + guess.distance + 1e-12, "{size}: {} {}", guess.value, guess.distance);
            assert!(size > SMALL || (guess.value - exact).abs() < 1e-13 * exact, "{size}");
            for above in [1e-2, 1e-5, 1e-12] {
                let shifted = Mat::from_fn(size, size, |row, col| {
                    f64::from(u8::from(row == col)) * (exact + above) - matrix[(row, col)]
                });
                let factor = Llt::new(shifted.as_ref(), Side::Lower).unwrap();
                let (quotient, vector) = refine(&matrix, &factor);
                assert!((quotient / exact - 1.0).abs() < 1e-13, "{size}, {above}: {quotient} {exact}");
                assert_eq!(vector.len(), size);
            }
        }
    }

    #[test]
    fn invariant_spaces_end_the_search() {
        for size in [300, 400] {
            let ones = look(&Mat::full(size, size, 1.0));
            assert!((ones.value / size as f64 - 1.0).abs() < 1e-13 && ones.distance < 1e-9, "{size}");
            let identity = look(&Mat::identity(size, size));
            assert!((identity.value - 1.0).abs() < 1e-13 && identity.distance < 1e-9, "{size}");
            assert_eq!(look(&Mat::zeros(size, size)).value, 0.0);
        }
        assert!(look(&Mat::full(300, 300, f64::NAN)).value == 0.0, "nothing is found, and nothing is lost");
    }
}
