//! The rows of a sparse matrix on the host, for products in `f64` with bounds of their rounding.

use crate::bound::{Ball, Up, gamma, norm_above, up};
use crate::device::{each_chunk, with_threads};
use crate::tensor::screen::power;

/// Rows that a thread takes at once.
const ROWS: usize = 1024;

/// Nonzeros row after row, of which row i has those from `starts[i]` up to `starts[i + 1]`.
#[derive(Debug, PartialEq)]
pub(super) struct HostRows {
    pub(super) starts: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f32>,
}

impl HostRows {
    /// The rows of the transpose, whose columns are in order where the rows of `self` are.
    pub(super) fn transposed(&self, cols: usize) -> Self {
        let mut starts = vec![0usize; cols + 1];
        self.columns.iter().for_each(|column| starts[*column as usize + 1] += 1);
        (0..cols).for_each(|column| starts[column + 1] += starts[column]);
        let mut next = starts.clone();
        let (mut columns, mut values) = (vec![0; self.columns.len()], vec![0.0; self.values.len()]);
        for (row, ends) in self.starts.windows(2).enumerate() {
            for place in ends[0]..ends[1] {
                let target = &mut next[self.columns[place] as usize];
                (columns[*target], values[*target]) = (row as u32, self.values[place]);
                *target += 1;
            }
        }
        Self { starts, columns, values }
    }

    /// The nonzeros of the row with the most.
    fn longest(&self) -> usize {
        self.starts.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0)
    }

    /// matrix · input in `f64`: each row is summed in order, whatever the threads.
    fn product(&self, input: &[f64]) -> Vec<f64> {
        let rows = self.starts.len() - 1;
        let mut product = vec![0.0; rows];
        let work = ROWS.saturating_mul(self.values.len() / rows.max(1) + 1);
        with_threads(|| {
            each_chunk(&mut product, ROWS, work, |index, product| {
                for (ends, sum) in self.starts[index * ROWS..].windows(2).zip(product) {
                    let (values, columns) = (&self.values[ends[0]..ends[1]], &self.columns[ends[0]..ends[1]]);
                    let terms = values.iter().zip(columns).map(|(value, col)| f64::from(*value) * input[*col as usize]);
                    *sum = terms.sum();
                }
            });
        });
        product
    }

    /// The largest sum of the magnitudes of a row.
    fn largest_sum(&self) -> Up {
        let sum = |ends: &[usize]| self.values[ends[0]..ends[1]].iter().map(|value| f64::from(value.abs())).sum();
        let sums = self.starts.windows(2).map(sum);
        Up::sum(sums.fold(0.0, f64::max), 0, self.longest())
    }
}

/// Both directions of a sparse matrix, with an upper bound of the norm of its magnitudes.
#[derive(Debug)]
pub(super) struct HostSides {
    pub(super) forward: HostRows,
    pub(super) backward: HostRows,
    /// An upper bound of ‖|A|‖₂, of the matrix of magnitudes: the Frobenius norm, or √(‖A‖₁ ‖A‖_∞).
    magnitude: f64,
}

impl HostSides {
    pub(super) fn new(forward: HostRows, cols: usize) -> Self {
        let backward = forward.transposed(cols);
        // Squares of 24-bit numbers are exact.
        let squares = forward.values.iter().map(|value| f64::from(*value).powi(2)).sum();
        let frobenius = Up::sum(squares, 0, forward.values.len()).sqrt();
        let schur = (forward.largest_sum() * backward.largest_sum()).sqrt();
        Self { magnitude: frobenius.min(schur).value(), forward, backward }
    }

    /// The ball around A · x, or Aᵀ · x where `adjoint`, of the matrix whose entries lost at most 2^-149 each where it
    /// was `scaled_down`.
    ///
    /// A sum of n products in any order is off by at most gamma(n + 1) Σ |a| |x|. Over all rows that is gamma(n + 1)
    /// |A| |x| entrywise, for n of the longest row, and in the 2-norm at most gamma(n + 1) ‖|A|‖ |x|. The radius around
    /// x adds ‖A‖ <= ‖|A|‖ times that radius.
    pub(super) fn ball(&self, adjoint: bool, input: &Ball, scaled_down: bool) -> Ball {
        let rows = if adjoint { &self.backward } else { &self.forward };
        let (count, length) = (rows.values.len() as f64, norm_above(&input.center));
        let rounding = up(up(gamma(rows.longest() + 1) * self.magnitude) * length);
        let lost = if scaled_down { up(up(count.sqrt()) * power(-149)) } else { 0.0 };
        let spread = up(up(self.magnitude + lost) * input.radius);
        let underflow = count * f64::MIN_POSITIVE;
        let radius = up(up(rounding + spread) + up(up(lost * length) + underflow));
        Ball { center: rows.product(&input.center), radius }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_twice_is_the_same_and_products_are_exact_for_integers() {
        let rows =
            HostRows { starts: vec![0, 2, 2, 5], columns: vec![1, 3, 0, 1, 2], values: vec![1., 2., 3., 4., 5.] };
        let back = rows.transposed(4);
        assert_eq!((back.starts.clone(), back.columns.clone()), (vec![0, 1, 3, 4, 5], vec![2, 0, 2, 2, 0]));
        assert_eq!(back.transposed(3), rows);
        let sides = HostSides::new(rows, 4);
        let ball = sides.ball(false, &Ball::exact(vec![1.0, 10.0, 100.0, 1000.0]), false);
        assert_eq!(ball.center, [2010.0, 0.0, 543.0]);
        assert!(ball.radius < 1e-11);
        assert_eq!(sides.ball(true, &Ball::exact(vec![1.0, 10.0, 100.0]), false).center, [300.0, 401.0, 500.0, 2.0]);
        assert!(sides.magnitude >= 55f64.sqrt() && sides.magnitude < 55f64.sqrt() * (1.0 + 1e-14), "{sides:?}");
    }
}
