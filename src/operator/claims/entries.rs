//! Claims that the entries of matrices prove.

use super::{Claims, Definiteness};
use crate::bound::{Arithmetic, Bounds, Guarantee, down, sum_above};

impl Claims {
    /// The claims that the entries of square matrices prove: symmetry, and what a dominant diagonal implies.
    ///
    /// *Formula*  with r = min (|a_ii| - Σ |a_ij|) over rows and c alike over columns, both above 0:
    /// |A x| >= √(r c) |x|; A symmetric with a positive diagonal is then definite
    ///
    /// All rounding is in the bound. Matrices of another order than `size` have no claims.
    ///
    /// *Shapes*  `entries`: batch × `size` × `size`
    ///
    /// *Source*  Varah, *A lower bound for the smallest singular value of a matrix*, 1975, theorem 1 and corollary.
    ///
    /// ```
    /// use opnorm::operator::{Claims, Definiteness};
    /// let claims = Claims::of_entries(2, &[3.0, 1.0, 1.0, 3.0]);
    /// assert_eq!(claims.definiteness(), Definiteness::Definite);
    /// assert!(claims.smallest().lower > 1.999 && claims.smallest().lower <= 2.0);
    /// ```
    pub fn of_entries(size: usize, entries: &[f32]) -> Self {
        let elements = size.saturating_mul(size);
        if elements == 0 || entries.is_empty() || !entries.len().is_multiple_of(elements) {
            return Self::default();
        }
        let (mut is_symmetric, mut is_positive, mut smallest) = (true, true, f64::INFINITY);
        for matrix in entries.chunks_exact(elements) {
            is_symmetric &=
                (0..size).all(|row| (0..row).all(|col| matrix[row * size + col] == matrix[col * size + row]));
            is_positive &= matrix.iter().step_by(size + 1).all(|entry| *entry > 0.0);
            smallest = smallest.min(least_stretch(size, matrix));
        }
        let claims = if is_symmetric { Self::default().with_symmetry() } else { Self::default() };
        if smallest <= 0.0 {
            return claims;
        }
        let is_definite = is_symmetric && is_positive;
        let claims = if is_definite { claims.with_definiteness(Definiteness::Definite) } else { claims };
        let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
        claims.with_smallest(Bounds { lower: smallest, upper: f64::INFINITY, guarantee })
    }
}

/// A lower bound of |A x| / |x| by the diagonal; 0 where the diagonal is not dominant, or an entry is NaN.
fn least_stretch(size: usize, matrix: &[f32]) -> f64 {
    let (mut of_rows, mut of_cols) = (vec![0.0; size], vec![0.0; size]);
    for (row, entries) in matrix.chunks_exact(size).enumerate() {
        for (col, entry) in entries.iter().enumerate().filter(|(col, _)| *col != row) {
            of_rows[row] += f64::from(entry.abs());
            of_cols[col] += f64::from(entry.abs());
        }
    }
    let diagonal = matrix.iter().step_by(size + 1).map(|entry| f64::from(entry.abs()));
    let (mut rows, mut cols) = (f64::INFINITY, f64::INFINITY);
    for (entry, (row, col)) in diagonal.zip(of_rows.into_iter().zip(of_cols)) {
        let [row, col] = [row, col].map(|sum| down(entry - sum_above(sum, size)));
        if row.is_nan() || col.is_nan() || row.min(col) <= 0.0 {
            return 0.0;
        }
        (rows, cols) = (rows.min(row), cols.min(col));
    }
    down(down(rows).sqrt()) * down(down(cols).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dominant_diagonal_bounds_the_smallest_singular_value() {
        // The inverse of [[a, b], [c, d]] has the Frobenius norm |A|_F / |det A| >= 1 / sigma_min.
        for case in 0..200u32 {
            let number = |place: u32| (f64::from(case * 37 + place * 101).sin() * 3.0) as f32;
            let entries = [number(0), number(1), number(2), number(3)];
            let [a, b, c, d] = entries.map(f64::from);
            let half = (a * a + b * b + c * c + d * d) / 2.0;
            let smallest = (half - (half * half - (a * d - b * c).powi(2)).max(0.0).sqrt()).max(0.0).sqrt();
            let claims = Claims::of_entries(2, &entries);
            assert!(claims.smallest().lower <= smallest + 1e-7, "{entries:?}: {claims:?}, {smallest}");
            let is_dominant = a.abs() > b.abs().max(c.abs()) && d.abs() > b.abs().max(c.abs());
            assert_eq!(claims.smallest().lower > 0.0, is_dominant, "{entries:?}");
            assert!(!claims.is_symmetric());
        }
        let diagonal = Claims::of_entries(2, &[2.0, 0.0, 0.0, 8.0]).smallest().lower;
        assert!(diagonal <= 2.0 && diagonal > 1.999_999, "{diagonal}");
    }

    #[test]
    fn nothing_is_claimed_of_what_is_not_square_nor_finite() {
        assert_eq!(Claims::of_entries(2, &[1.0; 6]), Claims::default());
        assert_eq!(Claims::of_entries(0, &[]), Claims::default());
        let nan = Claims::of_entries(2, &[f32::NAN, 0.0, 0.0, 1.0]);
        assert!(nan.smallest() == Bounds::NONE && nan.definiteness() == Definiteness::Unknown);
        let indefinite = Claims::of_entries(2, &[3.0, 1.0, 1.0, -3.0]);
        assert!(indefinite.is_symmetric() && indefinite.definiteness() == Definiteness::Unknown);
        // One matrix of a batch speaks for all.
        let batch = Claims::of_entries(2, &[3.0, 1.0, 1.0, 3.0, 3.0, 1.0, 2.0, 3.0]);
        assert!(!batch.is_symmetric() && batch.smallest().lower > 0.99);
    }
}
