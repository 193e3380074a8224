//! A small matrix for many products in turn, both ways.

use super::rows::{add_rows, row_dot};
use crate::tensor::stored::{F32, Stored};

/// Elements up to which a copy of the transpose is worth its making, so that no product needs sums along a row.
const COPIED: usize = 1 << 15;

/// Rows that are transposed together: a cache line of each column.
const BAND: usize = 16;

/// A matrix with padded rows, and the transpose where the matrix is small.
pub(crate) struct Sides<'a, S: Stored> {
    rows: &'a [S::Bits],
    wide: usize,
    transpose: Option<Vec<f32>>,
    height: usize,
}

impl<'a, S: Stored> Sides<'a, S> {
    /// The matrix of rows × cols, each row padded to the same length.
    pub(crate) fn new(elements: &'a [S::Bits], (rows, cols): (usize, usize)) -> Self {
        let wide = elements.len() / rows;
        let transpose = (elements.len() <= COPIED).then(|| {
            let mut transpose = vec![0.0; cols * rows];
            for (first, band) in (0..).step_by(BAND).zip(elements.chunks(BAND * wide)) {
                match band.len() == BAND * wide {
                    true => transpose_band::<S>(band, (first, rows), &mut transpose),
                    false => {
                        for (row, elements) in (first..).zip(band.chunks_exact(wide)) {
                            let column = transpose[row..].iter_mut().step_by(rows);
                            column.zip(elements).for_each(|(place, bits)| *place = S::widen(*bits));
                        }
                    }
                }
            }
            transpose
        });
        Self { rows: elements, wide, transpose, height: rows }
    }

    /// output = matrix · input, or the product with the transpose where `adjoint`.
    ///
    /// *Accuracy*  gamma(n) for sums of n terms, entrywise.
    pub(crate) fn multiply(&self, adjoint: bool, input: &[f32], output: &mut [f32]) {
        match (adjoint, &self.transpose) {
            (false, None) => {
                for (output, row) in output.iter_mut().zip(self.rows.chunks_exact(self.wide)) {
                    *output = row_dot::<S>(row, input);
                }
            }
            (false, Some(transpose)) => {
                output.fill(0.0);
                add_rows::<F32>(output, transpose, self.height, input);
            }
            (true, _) => {
                output.fill(0.0);
                add_rows::<S>(output, self.rows, self.wide, input);
            }
        }
    }
}

/// Writes the columns of a band of rows, of which `first` is the first of `rows`.
fn transpose_band<S: Stored>(band: &[S::Bits], (first, rows): (usize, usize), transpose: &mut [f32]) {
    let wide = band.len() / BAND;
    let of_band: [&[S::Bits]; BAND] = std::array::from_fn(|row| &band[row * wide..][..wide]);
    for (col, column) in transpose.chunks_exact_mut(rows).enumerate().take(wide) {
        for (place, row) in column[first..first + BAND].iter_mut().zip(&of_band) {
            *place = S::widen(row[col]);
        }
    }
}
