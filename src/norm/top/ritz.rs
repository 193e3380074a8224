//! Singular triplets of an operator on a subspace, by a dense decomposition on the host.

use faer::{Mat, MatRef};

use crate::iterate::uniform_places;

/// Singular values, largest first, with orthonormal vectors on both sides in columns.
#[derive(Clone, Debug)]
pub(in crate::norm) struct Ritz {
    pub(in crate::norm) values: Vec<f64>,
    pub(in crate::norm) short: Mat<f64>,
    pub(in crate::norm) long: Mat<f64>,
}

impl Ritz {
    /// The triplets of A on the span of the orthonormal columns `basis`, from the products A · `basis`; `None` where a
    /// product is not finite.
    ///
    /// From A V = U S Zᵀ they are (U, S, V Z): U comes out of the decomposition, and so it is orthonormal whatever the
    /// values are, where A v / sigma is nothing but rounding for a value near zero. With V the whole space these are
    /// the triplets of A; else they are the best that the space holds (Rayleigh and Ritz).
    pub(in crate::norm) fn on(basis: Option<MatRef<'_, f64>>, products: MatRef<'_, f64>) -> Option<Self> {
        let is_finite = products.col_iter().all(|column| column.iter().all(|entry| entry.is_finite()));
        let parts = is_finite.then(|| products.thin_svd().ok()).flatten()?;
        let values = parts.S().column_vector().iter().copied().collect();
        let short = basis.map_or_else(|| parts.V().to_owned(), |basis| basis * parts.V());
        Some(Self { values, short, long: parts.U().to_owned() })
    }

    /// The first triplets.
    pub(in crate::norm) fn truncated(self, count: usize) -> Self {
        let count = count.min(self.values.len());
        let first = |vectors: &Mat<f64>| vectors.subcols(0, count).to_owned();
        Self { values: self.values[..count].to_vec(), short: first(&self.short), long: first(&self.long) }
    }
}

/// Orthonormal columns: the first span what `vectors` span, in whose place where they depend on one another, and in the
/// columns that are missing to `count`, are vectors orthogonal to them.
pub(in crate::norm) fn orthonormal(vectors: MatRef<'_, f64>, count: usize) -> Mat<f64> {
    let (size, given) = (vectors.nrows(), vectors.ncols());
    let random = uniform_places(0, size * count.saturating_sub(given));
    let columns = Mat::from_fn(size, count, |row, col| match col < given {
        true => vectors[(row, col)],
        false => f64::from(random[(col - given) * size + row]) - 0.5,
    });
    columns.qr().compute_thin_Q()
}

/// The columns of one matrix and then those of another.
pub(in crate::norm) fn beside(left: &Mat<f64>, right: &Mat<f64>) -> Mat<f64> {
    let first = left.ncols();
    Mat::from_fn(left.nrows(), first + right.ncols(), |row, col| match col < first {
        true => left[(row, col)],
        false => right[(row, col - first)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst_angle(columns: &Mat<f64>) -> f64 {
        let gram = columns.transpose() * columns;
        let off = |row: usize, col: usize| (gram[(row, col)] - f64::from(u8::from(row == col))).abs();
        (0..gram.nrows())
            .flat_map(|row| (0..gram.ncols()).map(move |col| (row, col)))
            .map(|(row, col)| off(row, col))
            .fold(0.0, f64::max)
    }

    #[test]
    fn what_depends_on_another_or_is_missing_is_replaced() {
        // The second column is the first, the third zero.
        let given = Mat::from_fn(7, 3, |row, col| [1.0, 1.0, 0.0][col] * (1.0 + row as f64));
        let found = orthonormal(given.as_ref(), 5);
        assert!((found.nrows(), found.ncols()) == (7, 5) && worst_angle(&found) < 1e-14);
        let along: f64 = (0..7).map(|row| found[(row, 0)] * given[(row, 0)]).sum();
        assert!((along.abs() - 140f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn vectors_of_zeros_are_orthonormal_on_both_sides() {
        for (long, short) in [(9, 4), (4, 4)] {
            let products =
                Mat::from_fn(long, short, |row, col| if row == col && row < 2 { 3.0 - row as f64 } else { 0.0 });
            let found = Ritz::on(None, products.as_ref()).unwrap();
            assert!(worst_angle(&found.short) < 1e-14 && worst_angle(&found.long) < 1e-14);
            assert!(found.values[2..].iter().all(|value| *value < 1e-15) && (found.values[1] - 2.0).abs() < 1e-14);
        }
        assert!(Ritz::on(None, Mat::from_fn(2, 2, |_, _| f64::NAN).as_ref()).is_none());
    }
}
