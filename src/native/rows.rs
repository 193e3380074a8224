//! Products of rows of a matrix, in any storage, with vectors.

use super::sums::sum_of;
use super::wide::wide;
use crate::tensor::stored::Stored;

wide! {
    /// row · input
    ///
    /// *Accuracy*  as [`super::dot`].
    pub(crate) fn row_dot<S: Stored>(row: &[S::Bits], input: &[f32]) -> f32 {
        sum_of(input.len(), |place, sums| {
            let (row, input) = (&row[place..], &input[place..]);
            if let (Some(row), Some(input)) = (row.first_chunk::<64>(), input.first_chunk::<64>()) {
                for lane in 0..64 {
                    sums[lane] = S::widen(row[lane]).mul_add(input[lane], sums[lane]);
                }
            } else {
                for ((sum, element), input) in sums.iter_mut().zip(row).zip(input) {
                    *sum = S::widen(*element).mul_add(*input, *sum);
                }
            }
        })
    }
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
