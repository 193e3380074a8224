//! A matrix as the provers read one: in pieces from any source, with the shorter side as columns.

use faer::Mat;

use crate::bound::Up;
use crate::tensor::screen::{Screen, binary_exponent, scale_by_power};
use crate::tensor::{ElementSource, Position, Window};
use crate::{Device, Matrix, Result};

/// The number of elements in one read of the scan for the range.
const PIECE: usize = 1 << 16;

/// 2^-e times one matrix of a source, with its largest entry in [1, 2); a wide matrix is transposed.
///
/// The scaling is exact but for entries below 2^-1022 of the largest entry, which lose less than 2^-1074 each.
pub(super) struct Tall<'a, S: ?Sized> {
    source: &'a S,
    first: usize,
    cols: usize,
    transposed: bool,
    /// The number of rows of the tall matrix.
    pub(super) long: usize,
    /// The number of columns of the tall matrix.
    pub(super) short: usize,
    /// The exponent e.
    pub(super) exponent: i32,
}

/// The result of the scan of all entries.
pub(super) enum Looked<'a, S: ?Sized> {
    /// The matrix has an entry other than zero, and all entries are finite.
    Ordinary(Tall<'a, S>),
    /// Every entry is zero, or the matrix has no entries.
    Zero,
    /// An entry is NaN or infinite.
    NonFinite,
}

impl<'a, S: ElementSource + ?Sized> Tall<'a, S> {
    /// Scans the `rows × cols` matrix that begins at element `first` of the source.
    pub(super) fn look(source: &'a S, first: usize, rows: usize, cols: usize) -> Result<Looked<'a, S>> {
        let total = rows * cols;
        let mut screen = Screen::default();
        let mut piece = vec![0.0; total.min(PIECE)];
        for start in (0..total).step_by(PIECE) {
            let piece = &mut piece[..PIECE.min(total - start)];
            source.copy_f64(first + start, piece)?;
            for (offset, value) in piece.iter().enumerate() {
                screen.see(*value, || Position { row: (start + offset) / cols, col: (start + offset) % cols });
            }
        }
        if screen.non_finite.is_some() {
            return Ok(Looked::NonFinite);
        }
        if screen.largest == 0.0 {
            return Ok(Looked::Zero);
        }
        let transposed = rows < cols;
        let (long, short) = if transposed { (cols, rows) } else { (rows, cols) };
        let exponent = binary_exponent(screen.largest);
        Ok(Looked::Ordinary(Self { source, first, cols, transposed, long, short, exponent }))
    }

    /// Whether the tall matrix is the transpose of the matrix in the source.
    pub(super) fn is_transposed(&self) -> bool {
        self.transposed
    }

    /// The matrix of the source, on the device; rounded to `f32`.
    pub(super) fn upload(&self, device: &Device) -> Result<Matrix> {
        let (rows, cols) = if self.transposed { (self.short, self.long) } else { (self.long, self.short) };
        Matrix::upload(device, (1, rows, cols), &Window { source: self.source, first: self.first })
    }

    /// Shows all rows in order, in blocks of `height` rows (the last block perhaps shorter), each with the index of its
    /// first row.
    pub(super) fn each_block(
        &self,
        height: usize,
        mut visit: impl FnMut(usize, &Mat<f64>) -> Result<()>,
    ) -> Result<()> {
        let mut block = Mat::zeros(0, 0);
        let mut line = vec![0.0; if self.transposed { height.min(self.long) } else { self.short }];
        for start in (0..self.long).step_by(height) {
            let count = height.min(self.long - start);
            if block.nrows() != count {
                block = Mat::zeros(count, self.short);
            }
            if self.transposed {
                for col in 0..self.short {
                    let line = &mut line[..count];
                    self.source.copy_f64(self.first + col * self.cols + start, line)?;
                    line.iter().enumerate().for_each(|(row, value)| block[(row, col)] = self.scaled(*value));
                }
            } else {
                for row in 0..count {
                    self.source.copy_f64(self.first + (start + row) * self.cols, &mut line)?;
                    line.iter().enumerate().for_each(|(col, value)| block[(row, col)] = self.scaled(*value));
                }
            }
            visit(start, &block)?;
        }
        Ok(())
    }

    fn scaled(&self, value: f64) -> f64 {
        scale_by_power(value, -self.exponent)
    }

    /// The largest change of the matrix by scaling, in the 2-norm, and of products of its entries by underflow.
    pub(super) fn underflow(&self) -> Up {
        Up::of(self.long as f64) * Up::of(self.short as f64) * Up::of(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_matrix_in_both_orientations() {
        let entries: Vec<f64> = (1..=35).map(f64::from).collect();
        for (rows, cols) in [(7, 5), (5, 7), (35, 1), (1, 35)] {
            let Looked::Ordinary(tall) = Tall::look(&entries[..], 0, rows, cols).unwrap() else { panic!() };
            assert_eq!((tall.exponent, tall.long, tall.short), (5, rows.max(cols), rows.min(cols)));
            let mut seen = 0;
            tall.each_block(3, |start, block| {
                for row in 0..block.nrows() {
                    for col in 0..block.ncols() {
                        let (row_of, col_of) =
                            if tall.is_transposed() { (col, start + row) } else { (start + row, col) };
                        assert_eq!(block[(row, col)], entries[row_of * cols + col_of] / 32.0);
                        seen += 1;
                    }
                }
                Ok(())
            })
            .unwrap();
            assert_eq!(seen, 35);
        }
    }

    #[test]
    fn what_has_no_norm_to_prove_is_told() {
        assert!(matches!(Tall::look(&[0.0f32, -0.0][..], 0, 1, 2).unwrap(), Looked::Zero));
        assert!(matches!(Tall::look(&[0.0f32; 0][..], 0, 0, 2).unwrap(), Looked::Zero));
        let looked = Tall::look(&[1.0, 2.0, f64::NAN, 4.0][..], 0, 2, 2).unwrap();
        assert!(matches!(looked, Looked::NonFinite));
    }
}
