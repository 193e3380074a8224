//! Products of rows of a matrix, in any storage, with vectors.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::partial::{MOST_SUMS, Terms, load, sum_of, sums_of, widened};
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

/// Rows that read parts of several inputs in turn, while these are in the first cache.
pub(crate) const ROWS: usize = 4;

/// row · input for each row and input: `each` has the row, the input and the product.
///
/// *Accuracy*  as [`row_dot`], with the same bits.
pub(crate) fn row_dots<S: Stored>(
    rows: &[S::Bits],
    wide: usize,
    inputs: &[&[f32]],
    mut each: impl FnMut(usize, usize, f32),
) {
    for (rows, first_row) in rows.chunks(ROWS * wide).zip((0..).step_by(ROWS)) {
        for (inputs, first) in inputs.chunks(MOST_SUMS / ROWS).zip((0..).step_by(MOST_SUMS / ROWS)) {
            let products = |row| inputs.iter().map(move |input| RowProducts::<S>(row, input));
            let terms: Vec<_> = rows.chunks(wide).flat_map(products).collect();
            let mut sums = [0.0; MOST_SUMS];
            sums_of(inputs[0].len(), &terms, &mut sums[..terms.len()]);
            for (index, sum) in sums[..terms.len()].iter().enumerate() {
                each(first_row + index / inputs.len(), first + index % inputs.len(), *sum);
            }
        }
    }
}

/// Elements of rows up to which sums stay in registers, and the rows, which are read a few columns at a time, in the
/// cache.
const IN_CACHE: usize = 1 << 15;

/// sums = sums + Σ input[i] · row i, of rows that are `wide` elements apart.
///
/// *Accuracy*  gamma(rows), entrywise: rows are added one after another.
pub(crate) fn add_rows<S: Stored>(sums: &mut [f32], rows: &[S::Bits], wide: usize, input: &[f32]) {
    match wide * input.len() <= IN_CACHE {
        true => Arch::new().dispatch(Columns::<S> { sums, rows, wide, input }),
        false => add_long_rows::<S>(sums, rows, wide, input),
    }
}

/// Sums over few rows, several vectors of them at a time.
struct Columns<'a, S: Stored> {
    sums: &'a mut [f32],
    rows: &'a [S::Bits],
    wide: usize,
    input: &'a [f32],
}

impl<T: Stored> WithSimd for Columns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut first = self.add_all::<S, 8>(simd, 0);
        first = self.add_all::<S, 4>(simd, first);
        first = self.add_all::<S, 2>(simd, first);
        first = self.add_all::<S, 1>(simd, first);
        for col in first..self.sums.len() {
            let column = self.rows.iter().skip(col).step_by(self.wide).zip(self.input);
            self.sums[col] = column.fold(self.sums[col], |sum, (bits, factor)| T::widen(*bits).mul_add(*factor, sum));
        }
    }
}

impl<T: Stored> Columns<'_, T> {
    /// Adds to so many vectors at a time, from `first` on, as long as there are that many; the first sum that is left.
    #[inline(always)]
    fn add_all<S: Simd, const VECTORS: usize>(&mut self, simd: S, mut first: usize) -> usize {
        while first + VECTORS * S::F32_LANES <= self.sums.len() {
            self.add::<S, VECTORS>(simd, first);
            first += VECTORS * S::F32_LANES;
        }
        first
    }

    /// Adds to so many vectors of sums from `first` on.
    #[inline(always)]
    fn add<S: Simd, const VECTORS: usize>(&mut self, simd: S, first: usize) {
        let width = VECTORS * S::F32_LANES;
        let sums: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut self.sums[first..first + width]);
        let mut vectors = [simd.splat_f32s(0.0); VECTORS];
        vectors.copy_from_slice(sums);
        for (row, factor) in self.input.iter().enumerate() {
            let row = &self.rows[row * self.wide + first..][..width];
            let factor = simd.splat_f32s(*factor);
            for (index, vector) in vectors.iter_mut().enumerate() {
                let elements = widened::<S, T>(simd, &row[index * S::F32_LANES..]);
                *vector = simd.mul_add_f32s(elements, factor, *vector);
            }
        }
        sums.copy_from_slice(&vectors);
    }
}

wide! {
    /// [`add_rows`] with long rows, each of which is read once from end to end.
    fn add_long_rows<S: Stored>(sums: &mut [f32], rows: &[S::Bits], wide: usize, input: &[f32]) {
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
