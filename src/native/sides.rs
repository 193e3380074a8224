//! A small matrix for many products in turn, both ways.

use super::lines::Lines;
use super::rows::{add_rows, row_dot};
use super::strided::Strided;
use crate::tensor::stored::{F32, Stored};

/// Elements up to which a copy of the transpose is worth its making, so that no product needs sums along a row.
const COPIED: usize = 1 << 15;

/// A matrix with padded rows, and the transpose where the matrix is small.
pub(crate) struct Sides<'a, S: Stored> {
    rows: &'a [S::Bits],
    wide: usize,
    transpose: Option<Lines>,
    height: usize,
}

impl<'a, S: Stored> Sides<'a, S> {
    /// The matrix of rows × cols, each row padded to the same length.
    pub(crate) fn new(elements: &'a [S::Bits], (rows, cols): (usize, usize)) -> Self {
        let wide = elements.len() / rows;
        let transpose = (elements.len() <= COPIED).then(|| {
            let mut transpose = Lines::zeros(cols * rows);
            let columns = Strided { elements: &S::numbers(elements), across: wide, along: 1 };
            columns.pack(0, rows, rows, &mut transpose.numbers_mut()[..cols * rows]);
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
                add_rows::<F32>(output, transpose.numbers(), self.height, input);
            }
            (true, _) => {
                output.fill(0.0);
                add_rows::<S>(output, self.rows, self.wide, input);
            }
        }
    }
}
