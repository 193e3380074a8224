//! Upper bounds of the largest eigenvalue of a symmetric matrix: a factorisation that exists is a proof.

use faer::linalg::solvers::Llt;
use faer::{Mat, MatRef, Side};

use super::edge::{self, Guess};
use super::product::{Magnitudes, RUN, add_gram, roundings};
use crate::bound::Up;

/// A bound of the largest eigenvalue of a symmetric matrix, with a vector.
pub(super) struct Ceiling {
    /// The bound: no eigenvalue is above `bound`.
    pub(super) bound: f64,
    /// A vector close to the eigenvectors of the largest eigenvalue, without proof.
    pub(super) vector: Vec<f64>,
}

/// A shift that is proven to be above every eigenvalue, but for rounding.
struct Proven {
    shift: f64,
    bound: f64,
    /// L with L Lᵀ ≈ shift - S.
    factor: Llt<f64>,
}

/// Bounds the largest eigenvalue of the symmetric matrix S, given by its lower triangle. *(C4)*
///
/// Entries must be of about unit size: scale S by a power of two before.
///
/// A factorisation of shift - S succeeds once the shift is above the largest eigenvalue by some rounding. The shift
/// comes from Lanczos. Where the spectrum is dense at its edge, the shift stays below the eigenvalue. Then Lanczos with
/// the inverse of a larger shift's factor finds the eigenvalue. This search needs no proof, because any shift that
/// succeeds is a bound.
pub(super) fn largest_eigenvalue(lower: &Mat<f64>) -> Ceiling {
    let size = lower.nrows();
    let crude = row_sum_bound(lower);
    let whole = Mat::from_fn(size, size, |row, col| lower[(row.max(col), row.min(col))]);
    let mut guess = edge::look(&whole);
    let mut best = Ceiling { bound: crude, vector: edge::start(size) };
    for round in 0..ROUNDS {
        let unit = (guess.value.abs() + crude * f64::EPSILON) * f64::EPSILON * size as f64;
        let Some(found) = shifts(&guess, unit).find_map(|room| factorise(lower, guess.value + room)) else { break };
        let (quotient, vector) = edge::refine(&whole, &found.factor);
        // The latest factor leads to the best vector, even where another bound is the least.
        best = Ceiling { bound: found.bound.min(best.bound), vector };
        let distance = found.shift - quotient;
        if distance <= TIGHT * quotient.abs() || distance <= 64.0 * unit || quotient.is_nan() {
            break;
        }
        // All eigenvalues, because the search next to the shift did not find the largest.
        let value = if round + 2 < ROUNDS { quotient } else { edge::from_all(&whole).unwrap_or(quotient) };
        guess = Guess { value, distance: 0.0 };
    }
    best
}

/// The limit of shifts that succeed, each closer than the shift before.
const ROUNDS: usize = 4;

/// The relative distance of a shift from the eigenvalue below which no further factorisation pays.
const TIGHT: f64 = 1e-12;

/// The distances above a guess at which a factor is tried: close to the guess where the guess is trusted, then further
/// and further.
fn shifts(guess: &Guess, unit: f64) -> impl Iterator<Item = f64> {
    let is_near = guess.distance == 0.0;
    let near = [2.0 * unit, 16.0 * unit].into_iter().filter(move |_| is_near);
    let far = guess.distance.max(64.0 * unit);
    near.chain((0..12).map(move |power| far * 10f64.powi(power)))
}

/// Tries to prove that no eigenvalue of S is above `shift`, but for rounding.
fn factorise(lower: &Mat<f64>, shift: f64) -> Option<Proven> {
    let (shifted, largest) = shifted(lower, shift);
    let factor = Llt::new(shifted.as_ref(), Side::Lower).ok()?;
    let above = distance(&shifted, factor.L()) + Up::gamma(1) * Up::of(largest);
    // The difference may have either sign, unlike the terms added to it.
    let bound = (shift + above.value()).next_up();
    bound.is_finite().then_some(Proven { shift, bound, factor })
}

/// The lower triangle of H = shift - S, up to the rounding of its diagonal, and the largest diagonal entry.
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

/// An upper bound of ‖H - L Lᵀ‖, for a symmetric H given by its lower triangle and any lower triangular L.
///
/// Nothing is assumed of the way that L was found.
fn distance(symmetric: &Mat<f64>, triangle: MatRef<'_, f64>) -> Up {
    let size = symmetric.nrows();
    let (mut product, mut scratch) = (Mat::zeros(size, size), Mat::zeros(size, size));
    let mut magnitudes = Magnitudes::new(size);
    for first in (0..size).step_by(RUN) {
        let (width, rest) = (RUN.min(size - first), size - first);
        let columns = triangle.submatrix(first, first, rest, width);
        // L counts as zero above its diagonal, because a library may leave anything there. Rows of Lᵀ are summed like
        // those of any matrix.
        let clean = Mat::from_fn(rest, width, |row, col| if row < col { 0.0 } else { columns[(row, col)] });
        magnitudes.see(first, clean.transpose());
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
    // ‖H - fl(L Lᵀ)‖, each difference rounded once more, and its square perhaps flushed
    let residual = Up::sum(error, entries, entries + 2).sqrt() * (Up::of(1.0) + Up::gamma(2));
    // ‖fl(L Lᵀ) - L Lᵀ‖ <= gamma ‖|L||L|ᵀ‖, and products that underflowed
    let rounding = Up::gamma(roundings(size)) * magnitudes.gram();
    residual + rounding + Up::of(entries as f64 * size as f64) * Up::of(f64::MIN_POSITIVE)
}

/// The largest sum of magnitudes in a row, rounded up: an upper bound of every eigenvalue.
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
    // sums alone do not underflow
    Up::sum(sums.into_iter().fold(0.0, f64::max), 0, size).value()
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
            // All ones: the side. The second difference: 2 + 2 cos(pi / (size + 1)), from above.
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
        // For a negative definite matrix too the bound is above the largest eigenvalue.
        let bound = largest_eigenvalue(&symmetric(3, |row, col| if row == col { -1.0 } else { 0.0 })).bound;
        assert!((-1.0..=1.0).contains(&bound), "{bound}");
    }

    #[test]
    fn a_shift_below_the_largest_eigenvalue_proves_nothing() {
        let ones = symmetric(20, |_, _| 1.0);
        for shift in [10.0, 19.0, 19.999_999] {
            assert!(factorise(&ones, shift).is_none_or(|proven| proven.bound >= 20.0), "{shift}");
        }
    }

    /// For any L, the shift plus the distance is above every eigenvalue, even where L is no factor, or the shift is far
    /// too low.
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
                    let bound = shift + distance(&shifted, triangle.as_ref()).value();
                    assert!(bound >= size as f64 * (1.0 - 1e-15), "{size}, {shift}: {bound}");
                }
            }
        }
        // The distance is exact for the identity.
        let distance = distance(&Mat::identity(5, 5), Mat::<f64>::zeros(5, 5).as_ref()).value();
        assert!((distance - 5f64.sqrt()).abs() < 1e-13, "{distance}");
    }

    #[test]
    fn the_vector_is_the_top_one() {
        let diagonal = symmetric(6, |row, col| if row == col { 1.0 + row as f64 } else { 0.0 });
        let vector = largest_eigenvalue(&diagonal).vector;
        assert!((vector[5].abs() - 1.0).abs() < 1e-12);
    }
}
