//! Products of rows of a matrix, in any storage, with vectors.

use std::ops::Range;

use pulp::Simd;

use super::partial::{Terms, load, sum_of, widened};
use super::wide::wide;
use crate::tensor::stored::Stored;

/// Terms of a row of a matrix times a vector.
#[derive(Clone, Copy)]
struct RowProducts<'a, S: Stored>(&'a [S::Bits], &'a [f32]);

impl<S: Stored> Terms for RowProducts<'_, S> {
    #[inline(always)]
    fn part(self, places: Range<usize>) -> Self {
        Self(&self.0[places.clone()], &self.1[places])
    }

    #[inline(always)]
    fn add(self, place: usize, sum: f32) -> f32 {
        S::widen(self.0[place]).mul_add(self.1[place], sum)
    }

    #[inline(always)]
    fn add_each<V: Simd>(self, simd: V, sums: V::f32s) -> V::f32s {
        simd.mul_add_f32s(widened::<V, S>(simd, self.0), load(simd, self.1), sums)
    }
}

/// row · input
///
/// *Accuracy*  as [`sum_of`].
pub(crate) fn row_dot<S: Stored>(row: &[S::Bits], input: &[f32]) -> f32 {
    sum_of(input.len(), RowProducts::<S>(row, input))
}

wide! {
    /// sums = sums + Σ input[i] · row i, of rows that are `wide` elements apart.
    ///
    /// *Accuracy*  gamma(rows), entrywise: rows are added one after another.
    pub(crate) fn add_rows<S: Stored>(sums: &mut [f32], rows: &[S::Bits], wide: usize, input: &[f32]) {
        let cols = sums.len();
        let mut row = 0;
        while row + 4 <= input.len() {
            let [a, b, c, d] = [0, 1, 2, 3].map(|next| &rows[(row + next) * wide..][..cols]);
            let [p, q, r, s] = [0, 1, 2, 3].map(|next| input[row + next]);
            for col in 0..cols {
                let sum = S::widen(a[col]).mul_add(p, sums[col]);
                let sum = S::widen(b[col]).mul_add(q, sum);
                let sum = S::widen(c[col]).mul_add(r, sum);
                sums[col] = S::widen(d[col]).mul_add(s, sum);
            }
            row += 4;
        }
        for row in row..input.len() {
            let element = &rows[row * wide..][..cols];
            for col in 0..cols {
                sums[col] = S::widen(element[col]).mul_add(input[row], sums[col]);
            }
        }
    }
}
