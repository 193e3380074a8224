//! The entries of a tensor as those of the matrix with one of its axes as rows.

use crate::Result;
use crate::tensor::{ElementSource, volume};

/// The number of elements of one read.
const PIECE: usize = 1 << 14;

/// The place of an axis among the axes of a tensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sliced {
    /// The product of the axes before the axis, its length, and the product of the axes behind.
    outer: usize,
    pub rows: usize,
    inner: usize,
}

impl Sliced {
    /// The slices of a tensor along an axis; without an axis the tensor is one slice.
    pub fn new(shape: &[usize], axis: Option<usize>) -> Self {
        match axis {
            None => Self { outer: 1, rows: 1, inner: volume(shape) },
            Some(axis) => Self { outer: volume(&shape[..axis]), rows: shape[axis], inner: volume(&shape[axis + 1..]) },
        }
    }

    /// The number of elements of a slice.
    pub fn cols(&self) -> usize {
        self.outer * self.inner
    }

    /// Calls `see` with the row, the column and the value of each entry, in the order of the tensor.
    pub fn visit<S: ElementSource + ?Sized>(&self, source: &S, mut see: impl FnMut(usize, usize, f64)) -> Result<()> {
        let mut walk = self.walk();
        pieces(source, self.rows * self.cols(), |piece| {
            piece.iter().zip(&mut walk).for_each(|(value, (row, col))| see(row, col, *value));
        })
    }

    /// The row and the column of each entry, in the order of the tensor.
    pub fn walk(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.outer).flat_map(move |outer| {
            (0..self.rows).flat_map(move |row| (0..self.inner).map(move |inner| (row, outer * self.inner + inner)))
        })
    }

    /// The elements of a tensor in the order of the matrix, each of `size` bytes.
    pub fn in_rows(self, bytes: &[u8], size: usize) -> Vec<u8> {
        let mut ordered = vec![0; bytes.len()];
        for (element, (row, col)) in bytes.chunks_exact(size).zip(self.walk()) {
            let place = (row * self.cols() + col) * size;
            ordered[place..place + size].copy_from_slice(element);
        }
        ordered
    }
}

/// Calls `see` with the elements in pieces.
pub(super) fn pieces<S: ElementSource + ?Sized>(
    source: &S,
    elements: usize,
    mut see: impl FnMut(&[f64]),
) -> Result<()> {
    let mut piece = vec![0.0; elements.min(PIECE)];
    for first in (0..elements).step_by(PIECE) {
        let piece = &mut piece[..(elements - first).min(PIECE)];
        source.copy_f64(first, piece)?;
        see(piece);
    }
    Ok(())
}

/// All elements of a source.
pub(super) fn values<S: ElementSource + ?Sized>(source: &S, elements: usize) -> Result<Vec<f64>> {
    let mut values = vec![0.0; elements];
    source.copy_f64(0, &mut values)?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_slices_along_an_axis() {
        let sliced = Sliced::new(&[2, 3, 2], Some(1));
        let bytes: Vec<u8> = (0..12).collect();
        assert_eq!(sliced.in_rows(&bytes, 1), [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
        assert_eq!(Sliced::new(&[2, 3], Some(1)).in_rows(&bytes, 2), [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
        assert_eq!(Sliced::new(&[2, 3, 2], Some(0)).in_rows(&bytes, 1), bytes);
        assert_eq!(Sliced::new(&[2, 3, 2], None).cols(), 12);
    }
}
