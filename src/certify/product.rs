//! Sums of many products on the host in runs, so that few roundings lie between a product and its sum.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular};
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::bound::Up;

/// The number of terms that the library sums in any order, before the sum is added to the earlier terms.
pub(super) const RUN: usize = 256;

/// The number of roundings between a product and a sum of `terms` products built by [`add_gram`]: the roundings of its
/// run, and one rounding for each later run. *(C3)*
pub(super) fn roundings(terms: usize) -> usize {
    RUN.min(terms) + terms.div_ceil(RUN)
}

/// Adds the lower triangle of rowsᵀ · rows to the lower triangle of `sum`, for at most [`RUN`] rows.
///
/// The product is formed apart and then added. A library that adds to `sum` directly may add term by term, so that
/// every term would round the whole sum.
pub(super) fn add_gram(mut sum: MatMut<'_, f64>, rows: MatRef<'_, f64>, scratch: &mut Mat<f64>) {
    let size = rows.ncols();
    let mut product = scratch.submatrix_mut(0, 0, size, size);
    let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    triangular(product.rb_mut(), lower, Accum::Replace, rows.transpose(), whole, rows, whole, 1.0, Par::Seq);
    for col in 0..size {
        let added = product.rb().col(col).subrows(col, size - col);
        let mut kept = sum.rb_mut().col_mut(col).subrows_mut(col, size - col);
        kept += added;
    }
}

/// Adds left · right to `sum`, run by run.
pub(super) fn add_product(mut sum: MatMut<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>) {
    let mut product = Mat::zeros(left.nrows(), right.ncols());
    for first in (0..left.ncols()).step_by(RUN) {
        let terms = RUN.min(left.ncols() - first);
        let (left, right) = (left.subcols(first, terms), right.subrows(first, terms));
        matmul(product.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
        sum += &product;
    }
}

/// Bounds of the norm of a matrix X and of the rounding of XᵀX, from magnitudes of X in blocks of rows.
pub(super) struct Magnitudes {
    rows: usize,
    squares: f64,
    /// |X|ᵀ(|X|1)
    gram: Vec<f64>,
}

impl Magnitudes {
    /// The bounds of a matrix of `cols` columns without rows.
    pub(super) fn new(cols: usize) -> Self {
        Self { rows: 0, squares: 0.0, gram: vec![0.0; cols] }
    }

    /// Takes in rows with zeros before column `first`.
    pub(super) fn see(&mut self, first: usize, rows: MatRef<'_, f64>) {
        let mut sums = vec![0.0; rows.nrows()];
        for col in 0..rows.ncols() {
            let mut squares = 0.0;
            for (entry, sum) in rows.col(col).iter().zip(&mut sums) {
                squares += entry * entry;
                *sum += entry.abs();
            }
            self.squares += squares;
        }
        for col in 0..rows.ncols() {
            let products = rows.col(col).iter().zip(&sums).map(|(entry, sum)| entry.abs() * sum);
            self.gram[first + col] += products.sum::<f64>();
        }
        self.rows += rows.nrows();
    }

    /// ‖X‖_F²
    pub(super) fn frobenius_square(&self) -> Up {
        // Every square is rounded, and each entry then takes at most one addition, in any order.
        let entries = self.rows * self.gram.len();
        Up::sum(self.squares, entries, entries)
    }

    /// A bound of ‖|X|ᵀ|X|‖: the square of the Frobenius norm, or the largest sum in a row, whichever is less. *(C3)*
    pub(super) fn gram(&self) -> Up {
        let largest = self.gram.iter().copied().fold(0.0, f64::max);
        Up::sum(largest, self.rows, self.rows + self.gram.len() + 2).min(self.frobenius_square())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up_to_the_gram_matrix() {
        let rows = Mat::from_fn(600, 5, |row, col| f64::from(((row * 7 + col * 3) % 11) as u32) - 5.0);
        let (mut sum, mut scratch) = (Mat::zeros(5, 5), Mat::zeros(5, 5));
        for first in (0..600).step_by(RUN) {
            add_gram(sum.as_mut(), rows.as_ref().subrows(first, RUN.min(600 - first)), &mut scratch);
        }
        let exact = rows.transpose() * &rows;
        for col in 0..5 {
            for row in col..5 {
                assert_eq!(sum[(row, col)], exact[(row, col)], "integers have no rounding");
            }
        }
        assert_eq!((roundings(1), roundings(256), roundings(600)), (2, 257, 259));
    }

    #[test]
    fn magnitudes_are_seen_in_parts_and_exactly_for_integers() {
        let rows =
            Mat::from_fn(40, 6, |row, col| if row < 20 && col < 2 { 0.0 } else { 3.0 - ((row + col) % 7) as f64 });
        let mut seen = Magnitudes::new(6);
        seen.see(2, rows.as_ref().submatrix(0, 2, 20, 4));
        seen.see(0, rows.as_ref().subrows(20, 20));
        let sizes = Mat::from_fn(40, 6, |row, col| rows[(row, col)].abs());
        let product = sizes.transpose() * &sizes * Mat::full(6, 1, 1.0);
        let largest = product.col(0).iter().copied().fold(0.0, f64::max);
        let frobenius = rows.squared_norm_l2();
        let near = |found: Up, exact: f64| found.value() > exact && found.value() < exact * (1.0 + 1e-12);
        assert!(near(seen.frobenius_square(), frobenius) && near(seen.gram(), largest.min(frobenius)));
        // A diagonal matrix has the square of its largest entry as its norm, for any number of entries.
        let mut diagonal = Magnitudes::new(50);
        diagonal.see(0, Mat::<f64>::identity(50, 50).as_ref());
        assert!(near(diagonal.gram(), 1.0) && near(diagonal.frobenius_square(), 50.0));
    }
}
