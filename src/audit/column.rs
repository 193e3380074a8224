//! The norms of a vector on the host: the length of a vector is its only singular value.

use super::rounding::joined;
use crate::Result;
use crate::tensor::screen::{binary_exponent, scale_by_power, scaling};
use crate::tensor::{ElementSource, Position};

/// The number of elements of one read.
const PIECE: usize = 1 << 14;

/// Norms of a vector as a matrix of one column, in f64. No length within the range of f64 overflows or underflows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Column {
    /// The 2-norm: the spectral and the Frobenius norm at once.
    pub euclidean: f64,
    /// A lower bound of the 2-norm, rounding included.
    pub lower: f64,
    /// An upper bound of the 2-norm, rounding included.
    pub upper: f64,
    /// An upper bound of the distance between the vector in the file and its nearest vector of f64, whose norms these
    /// are.
    pub lost: f64,
    /// The sum of magnitudes.
    pub one: f64,
    /// The largest magnitude.
    pub infinity: f64,
    /// The first element that is NaN or infinite; the norms then mean nothing.
    pub non_finite: Option<Position>,
}

impl Column {
    /// Reads a vector twice: for its largest magnitude, then for the sums.
    pub fn of<S: ElementSource + ?Sized>(source: &S, rows: usize) -> Result<Self> {
        let mut column = Self::default();
        let lost = visit(source, rows, |row, value| {
            if value.is_finite() {
                column.infinity = column.infinity.max(value.abs());
            } else if column.non_finite.is_none() {
                column.non_finite = Some(Position { row, col: 0 });
            }
        })?;
        column.lost = lost;
        if column.non_finite.is_some() || column.infinity == 0.0 {
            return Ok(column);
        }
        // A power of two brings the largest magnitude into [1, 2). The scaling is exact, except for subnormal
        // quotients, which are too small to count beside 1.
        let exponent = binary_exponent(column.infinity);
        let (mut squares, mut magnitudes, scaled) = (0.0, 0.0, scaling(-exponent));
        visit(source, rows, |_, value| {
            let scaled = scaled(value);
            squares += scaled * scaled;
            magnitudes += scaled.abs();
        })?;
        let root: f64 = f64::sqrt(squares);
        column.euclidean = scale_by_power(root, exponent);
        column.one = scale_by_power(magnitudes, exponent);
        column.lower = length_below(root, rows, exponent);
        column.upper = length_above(root, rows, exponent);
        Ok(column)
    }
}

/// Calls `see` with each element, and returns a bound of what [`ElementSource::copy_f64`] lost.
fn visit<S: ElementSource + ?Sized>(source: &S, rows: usize, mut see: impl FnMut(usize, f64)) -> Result<f64> {
    let mut lost = 0.0;
    let mut piece = vec![0.0; rows.min(PIECE)];
    for first in (0..rows).step_by(PIECE) {
        let piece = &mut piece[..(rows - first).min(PIECE)];
        source.copy_f64(first, piece)?;
        lost = joined(lost, source.lost(piece));
        piece.iter().enumerate().for_each(|(offset, value)| see(first + offset, *value));
    }
    Ok(lost)
}

/// A lower bound of the 2-norm of 2^`exponent` times a vector of `terms` entries, the largest in [1, 2), from the
/// computed square `root` of the sum of their squares.
///
/// With u = 2^-53, a square is rounded once and then added at most `terms` - 1 times. So the computed sum is at most
/// (1 + u)^terms times the true one, and its rounded root (1 + u)^(terms / 2 + 1) times. The two roundings below make
/// the power terms / 2 + 3. The slack (terms + 4) u exceeds that by terms / 2 + 1, which leaves room for the terms of
/// second order and for underflow: at most terms 2^-1073 beside a sum of at least 1.
fn length_below(root: f64, terms: usize, exponent: i32) -> f64 {
    let slack = (terms as f64 + 4.0) * (f64::EPSILON / 2.0);
    let bound = scale_by_power(root * (1.0 - slack), exponent);
    // a subnormal result was rounded once more, by less than the distance to the next; a length above the range of f64
    // is above its largest number
    if bound < f64::MIN_POSITIVE { bound.next_down().max(0.0) } else { bound.min(f64::MAX) }
}

/// An upper bound of the same norm: by the same count, rounding down and underflow take at most (terms + 4) u of the
/// root.
fn length_above(root: f64, terms: usize, exponent: i32) -> f64 {
    let slack = (terms as f64 + 4.0) * (f64::EPSILON / 2.0);
    let bound = scale_by_power((root * (1.0 + slack)).next_up(), exponent);
    if bound < f64::MIN_POSITIVE { bound.next_up() } else { bound }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;
    use crate::tensor::SourceElement;

    struct Values(Vec<f64>);

    impl ElementSource for Values {
        fn element(&self) -> SourceElement {
            SourceElement::F64
        }

        fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
            out.iter_mut().zip(&self.0[first..]).for_each(|(out, value)| *out = *value as f32);
            Ok(())
        }

        fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
            out.copy_from_slice(&self.0[first..first + out.len()]);
            Ok(())
        }

        fn copy_half_bits(&self, _: usize, _: &mut [u16]) -> Result<()> {
            Ok(())
        }
    }

    fn column(values: &[f64]) -> Column {
        Column::of(&Values(values.to_vec()), values.len()).unwrap()
    }

    #[test]
    fn a_triangle_is_right_at_every_scale_by_power() {
        for exponent in [-1070, -1060, -500, 0, 500, 1020] {
            let unit = scale_by_power(1.0, exponent);
            let found = column(&[3.0 * unit, -4.0 * unit, 0.0]);
            assert_eq!(found.euclidean, 5.0 * unit, "2^{exponent}");
            assert_eq!((found.one, found.infinity), (7.0 * unit, 4.0 * unit), "2^{exponent}");
            assert!(
                found.lower <= 5.0 * unit && found.lower >= 4.9 * unit - f64::from_bits(2),
                "2^{exponent}: {}",
                found.lower
            );
        }
    }

    #[test]
    fn the_lower_bound_is_below_an_exact_root() {
        // The sum of n squared ones is n: exact, with an exact root.
        for root in [10_usize, 100, 300] {
            let found = column(&vec![1.0; root * root]);
            assert_eq!(found.euclidean, root as f64);
            assert!(found.lower < root as f64);
            assert!(found.lower > root as f64 * (1.0 - 1e-10));
            assert!(found.upper > root as f64 && found.upper < root as f64 * (1.0 + 1e-10));
        }
    }

    #[test]
    fn zero_and_what_is_not_finite_are_told() {
        assert_eq!(column(&[0.0, -0.0]).euclidean, 0.0);
        let found = column(&[1.0, f64::NAN, f64::INFINITY]);
        assert_eq!(found.non_finite, Some(Position { row: 1, col: 0 }));
    }

    #[test]
    fn a_length_beyond_f64_is_infinite() {
        let found = column(&[f64::MAX, f64::MAX]);
        assert_eq!((found.euclidean, found.upper), (f64::INFINITY, f64::INFINITY));
        assert_eq!(found.lower, f64::MAX, "the length is a number, and no number is above infinity");
    }
}
