//! Products in `f64` of the rows of a matrix, in any storage, with the squares that bound their rounding.

use super::wide::wide;
use crate::device::each_chunk;
use crate::tensor::Storage;
use crate::tensor::look::RowForm;
use crate::tensor::stored::{Bf16, F16, F32, Stored};

/// Rows side by side, so that the sums of one do not wait for those of another.
const ROWS: usize = 4;

/// Rows that a thread takes at once.
const CHUNK: usize = 8 * ROWS;

/// row · input and Σ row² of each row.
///
/// *Accuracy*  a sum of n products, each rounded, with at most n - 1 further roundings, in the order of
/// [`crate::bound::dot`]. Squares are exact, and added in order.
pub(crate) fn products_and_squares(words: &[u32], form: RowForm, input: &[f64]) -> Vec<[f64; 2]> {
    match form.storage {
        Storage::F32 => of_stored::<F32>(words, form, input),
        Storage::F16 => of_stored::<F16>(words, form, input),
        Storage::Bf16 => of_stored::<Bf16>(words, form, input),
    }
}

fn of_stored<S: Stored>(words: &[u32], form: RowForm, input: &[f64]) -> Vec<[f64; 2]> {
    let elements: &[S::Bits] = bytemuck::cast_slice(words);
    let mut sums = vec![[0.0; 2]; elements.len() / form.wide];
    each_chunk(&mut sums, CHUNK, CHUNK * form.cols, |index, sums| {
        let first = index * CHUNK * form.wide;
        of_rows::<S>(&elements[first..first + sums.len() * form.wide], form.wide, &input[..form.cols], sums);
    });
    sums
}

wide! {
    fn of_rows<S: Stored>(elements: &[S::Bits], wide: usize, input: &[f64], sums: &mut [[f64; 2]]) {
        let cols = input.len();
        let mut row = 0;
        while row < sums.len() {
            if row + ROWS <= sums.len() {
                let rows: [&[S::Bits]; ROWS] = [0, 1, 2, 3].map(|next| &elements[(row + next) * wide..][..cols]);
                sums[row..row + ROWS].copy_from_slice(&side_by_side::<S, ROWS>(rows, input));
                row += ROWS;
            } else {
                sums[row] = side_by_side::<S, 1>([&elements[row * wide..][..cols]], input)[0];
                row += 1;
            }
        }
    }
}

/// The sums of rows, each through eight partial sums of products and one of squares.
#[inline(always)]
fn side_by_side<S: Stored, const N: usize>(rows: [&[S::Bits]; N], input: &[f64]) -> [[f64; 2]; N] {
    let (mut sums, mut squares) = ([[0.0; 8]; N], [0.0; N]);
    let whole = input.len() / 8 * 8;
    for first in (0..whole).step_by(8) {
        let factors = &input[first..first + 8];
        for row in 0..N {
            let elements = &rows[row][first..first + 8];
            let mut values = [0.0; 8];
            for (value, element) in values.iter_mut().zip(elements) {
                *value = f64::from(S::widen(*element));
            }
            for ((sum, value), factor) in sums[row].iter_mut().zip(&values).zip(factors) {
                *sum += value * factor;
            }
            for value in &values {
                squares[row] += value * value;
            }
        }
    }
    let mut found = [[0.0; 2]; N];
    for row in 0..N {
        let mut rest = 0.0;
        for place in whole..input.len() {
            let value = f64::from(S::widen(rows[row][place]));
            rest += value * input[place];
            squares[row] += value * value;
        }
        found[row] = [sums[row].iter().sum::<f64>() + rest, squares[row]];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::dot;

    #[test]
    fn sums_have_the_bits_of_sums_in_order() {
        for (rows, cols) in [(1, 1), (3, 7), (4, 8), (9, 61), (70, 130)] {
            let wide = usize::next_multiple_of(cols, 4);
            let value = |place: usize| ((place * 7919) % 1013) as f32 / 97.0 - 5.0;
            let elements: Vec<f32> = (0..rows * wide).map(value).collect();
            let input: Vec<f64> = (0..cols).map(|place| 1.0 / (place as f64 - 3.5)).collect();
            let form = RowForm { storage: Storage::F32, cols, wide };
            let found = products_and_squares(bytemuck::cast_slice(&elements), form, &input);
            for (row, sums) in elements.chunks_exact(wide).zip(found) {
                let squares = row[..cols].iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
                assert_eq!(sums, [dot(&row[..cols], &input), squares], "{rows} x {cols}");
            }
        }
    }
}
