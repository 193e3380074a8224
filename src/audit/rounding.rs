//! The distances between a matrix in a file, its nearest matrix of `f64`, and the rounding of that to `f32` on the
//! device.

use crate::Result;
use crate::bound::Up;
use crate::tensor::screen::{scale_by_power, scaling};
use crate::tensor::{ElementSource, Matrix, SourceElement};

/// The number of elements of one read.
const PIECE: usize = 1 << 14;

/// Upper bounds of the Frobenius norms of the changes of a matrix on its way to the device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Distance {
    /// ‖A - f64(A)‖: 0 where `f64` holds every element.
    pub file: f64,
    /// ‖f64(A) - f32(A)‖: 0 where no element was rounded.
    pub held: f64,
}

impl Distance {
    /// A bound of both changes together.
    pub fn total(self) -> f64 {
        // Not a sum with 0, which would be rounded up.
        match (self.file, self.held) {
            (0.0, alone) | (alone, 0.0) => alone,
            (file, held) => (Up::of(file) + Up::of(held)).value(),
        }
    }
}

/// The distances of each batch item.
pub(super) fn distances<S: ElementSource + ?Sized>(matrix: &Matrix, source: &S) -> Result<Vec<Distance>> {
    if source.element() != SourceElement::F64 {
        return Ok(vec![Distance::default(); matrix.batch()]);
    }
    let count = matrix.rows() * matrix.cols();
    let one = |item: usize| distance(source, (item * count, count), matrix.exponent(item));
    (0..matrix.batch()).map(one).collect()
}

pub(super) fn distance<S: ElementSource + ?Sized>(
    source: &S,
    (first, count): (usize, usize),
    exponent: i32,
) -> Result<Distance> {
    let (mut squares, mut file, scaled) = (0.0, 0.0, scaling(-exponent));
    let mut piece = vec![0.0; count.min(PIECE)];
    for start in (0..count).step_by(PIECE) {
        let piece = &mut piece[..PIECE.min(count - start)];
        source.copy_f64(first + start, piece)?;
        file = joined(file, source.lost(piece));
        for value in piece.iter() {
            // The rounding here must equal the rounding of the upload.
            let scaled = scaled(*value);
            squares += (scaled - f64::from(scaled as f32)).powi(2);
        }
    }
    if squares == 0.0 && exponent <= 0 {
        return Ok(Distance { file, held: 0.0 });
    }
    // The terms are the roundings of a change, of its square and of their sum, and underflow below 2^-1022; scaling
    // back rounds once more.
    let held = Up::sum(squares, 2 * count, count + 2).sqrt();
    Ok(Distance { file, held: scale_by_power(held.value(), exponent).next_up() })
}

/// A bound of the 2-norm of all errors in two pieces, from those of each.
pub(super) fn joined(first: f64, second: f64) -> f64 {
    if first == 0.0 { second } else { Up::norm(&[first, second]).value() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_what_rounding_changed() {
        let third = 1.0 / 3.0;
        let change = third - f64::from(third as f32);
        for exponent in [0, 100, -100] {
            let scale = 2f64.powi(exponent);
            let entries = [third * scale, 0.5 * scale, -third * scale];
            let found = distance(&entries[..], (0, 3), exponent).unwrap();
            let exact = change.abs() * 2f64.sqrt() * scale;
            assert!(found.held >= exact && found.held <= exact * (1.0 + 1e-14), "{exponent}: {found:?} {exact:e}");
            assert_eq!((found.file, found.total()), (0.0, found.held));
        }
        assert_eq!(distance(&[1.5, -0.25][..], (0, 2), 0).unwrap(), Distance::default());
        assert_eq!(Distance::default().total(), 0.0);
    }
}
