//! The Frobenius, 1- and inf-norm of the entries of a sparse matrix, on the host.

use super::{Arithmetic, Bounds, CheapNorms, Guarantee};
use crate::bound::{Up, down, gamma};
use crate::tensor::SparseEntries;
use crate::tensor::screen::{binary_exponent, scale_by_power, scaling};

impl CheapNorms {
    /// The norms of the entries of a sparse matrix, in `f64`, with the bounds of the spectral norm that follow.
    ///
    /// Nothing is rounded to `f32`, and no device takes part. NaN, without bounds, where an entry is not finite.
    ///
    /// ```
    /// use opnorm::{norm::CheapNorms, tensor::SparseEntries};
    /// let entries = SparseEntries::new(2, 2, [(0, 0, 3.0), (0, 1, 4.0), (1, 1, 5.0)])?;
    /// let norms = CheapNorms::of_entries(&entries);
    /// assert_eq!((norms.one, norms.infinity), (9.0, 7.0));
    /// assert!(norms.bounds.lower <= 45f64.sqrt() && 45f64.sqrt() <= norms.bounds.upper);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    pub fn of_entries(entries: &SparseEntries) -> Self {
        let screen = entries.screen();
        if screen.non_finite.is_some() {
            return Self { frobenius: f64::NAN, one: f64::NAN, infinity: f64::NAN, bounds: Bounds::NONE };
        }
        let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
        if screen.largest == 0.0 {
            let bounds = Bounds { lower: 0.0, upper: 0.0, guarantee };
            return Self { frobenius: 0.0, one: 0.0, infinity: 0.0, bounds };
        }
        let exponent = binary_exponent(screen.largest);
        let Sums { squares, one, infinity } = Sums::of(entries, exponent);
        let short = entries.rows().min(entries.cols()) as f64;
        let (count, side) = (entries.len(), entries.rows().max(entries.cols()));
        // Scaling an entry far below the largest, and its square, may each lose less than 2^-1022.
        let lost = Up::of(count as f64) * Up::of(f64::MIN_POSITIVE);
        let frobenius = Up::sum(squares, count, count + 1).sqrt() + lost;
        let above = |sum| Up::sum(sum, side.min(count), side.min(count));
        let upper = frobenius.min((above(one) * above(infinity)).sqrt() + lost);
        // Entries are below 2, so that no square overflows.
        let kept = down(down(squares * down(1.0 - gamma(count + 2))) - lost.value()).max(0.0);
        let lower = down(down(kept.sqrt()) / Up::of(short).sqrt().value()).max(0.0);
        let held = Bounds { lower, upper: upper.value(), guarantee };
        Self {
            frobenius: scale_by_power(squares.sqrt(), exponent),
            one: scale_by_power(one, exponent),
            infinity: scale_by_power(infinity, exponent),
            bounds: held.scaled(exponent),
        }
    }
}

/// Sums over the entries of 2^-exponent times a matrix.
struct Sums {
    squares: f64,
    /// The largest sum of magnitudes of a column.
    one: f64,
    /// The largest sum of magnitudes of a row.
    infinity: f64,
}

impl Sums {
    fn of(entries: &SparseEntries, exponent: i32) -> Self {
        let scaled = scaling(-exponent);
        let mut columns = vec![0.0; entries.cols()];
        let (mut squares, mut infinity, mut row_sum, mut row_before) = (0.0, 0.0f64, 0.0, 0);
        for (row, col, value) in entries.iter() {
            let magnitude = scaled(value).abs();
            if row != row_before {
                (row_sum, row_before) = (0.0, row);
            }
            row_sum += magnitude;
            columns[col] += magnitude;
            squares += magnitude * magnitude;
            infinity = infinity.max(row_sum);
        }
        Self { squares, one: columns.into_iter().fold(0.0, f64::max), infinity }
    }
}
