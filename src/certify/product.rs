//! Sums of many products on the host, in runs, so that few roundings lie between a product and its sum.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular};
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Terms that are summed in whatever order the library likes, before they are added to what came before.
pub(super) const RUN: usize = 256;

/// Roundings between a product and a sum of so many, when it is built in runs by [`add_gram`]: those of its run and one a
/// run after it. *(C3)*
pub(super) fn roundings(terms: usize) -> usize {
    RUN.min(terms) + terms.div_ceil(RUN)
}

/// Adds the lower triangle of rowsᵀ · rows to that of `sum`, for [`RUN`] rows at the most.
///
/// The product is made apart and then added: a library that adds to what is there may do so term by term, and then every
/// term would round the whole sum.
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

/// The sum of the squares of all entries; at most one addition an entry lies between a square and the sum.
pub(super) fn sum_of_squares(matrix: MatRef<'_, f64>) -> f64 {
    let column = |col: usize| matrix.col(col).iter().map(|entry| entry * entry).sum::<f64>();
    (0..matrix.ncols()).map(column).sum()
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
}
