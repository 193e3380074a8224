//! Products of rows of a matrix, in any storage, with vectors.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::partial::{Terms, load, sum_of};
use crate::tensor::stored::Stored;

/// Terms of a row of a matrix times a vector.
#[derive(Clone, Copy)]
pub(super) struct RowProducts<'a, S: Stored>(pub(super) &'a [S::Bits], pub(super) &'a [f32]);

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
        simd.mul_add_f32s(S::vector(simd, self.0), load(simd, self.1), sums)
    }
}

/// row · input
///
/// *Accuracy*  as [`sum_of`].
pub(crate) fn row_dot<S: Stored>(row: &[S::Bits], input: &[f32]) -> f32 {
    sum_of(input.len(), RowProducts::<S>(row, input))
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
        false => add_long_rows::<S, 1>([sums], rows, wide, [input]),
    }
}

/// sums = sums + Σ input[i] · row i for several inputs, whose sums have the same place; `room` is memory for elements
/// that are made ready.
///
/// *Accuracy*  as [`add_rows`], with the same bits.
pub(crate) fn add_rows_to_each<S: Stored>(
    sums: &mut [&mut [f32]],
    rows: &[S::Bits],
    wide: usize,
    inputs: &[&[f32]],
    room: &mut Vec<f32>,
) {
    Arch::new().dispatch(Each::<S> { sums, rows, wide, inputs, room });
}

/// Rows that are added for several inputs, with the vectors of the processor.
struct Each<'a, 'b, S: Stored> {
    sums: &'a mut [&'b mut [f32]],
    rows: &'a [S::Bits],
    wide: usize,
    inputs: &'a [&'a [f32]],
    room: &'a mut Vec<f32>,
}

impl<T: Stored> WithSimd for Each<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sums, rows, wide, inputs, room } = self;
        let (Some(first), Some(input)) = (sums.first(), inputs.first()) else { return };
        if T::is_ready(simd) {
            add_in_pairs::<T>(sums, rows, wide, inputs);
        } else {
            let (rows, wide) = T::ready(rows, [input.len(), wide, first.len()], room);
            add_in_pairs::<T::Ready>(sums, rows, wide, inputs);
        }
    }
}

/// [`add_rows_to_each`], two inputs at a time.
fn add_in_pairs<S: Stored>(sums: &mut [&mut [f32]], rows: &[S::Bits], wide: usize, inputs: &[&[f32]]) {
    let ((sums, last), (inputs, single)) = (sums.as_chunks_mut::<2>(), inputs.as_chunks::<2>());
    for ([left, right], inputs) in sums.iter_mut().zip(inputs) {
        add_long_rows::<S, 2>([left, right], rows, wide, *inputs);
    }
    last.iter_mut().zip(single).for_each(|(sums, input)| add_rows::<S>(sums, rows, wide, input));
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
                let elements = T::vector(simd, &row[index * S::F32_LANES..]);
                *vector = simd.mul_add_f32s(elements, factor, *vector);
            }
        }
        sums.copy_from_slice(&vectors);
    }
}

/// [`add_rows`] with long rows, each of which is read once from end to end, for several inputs.
fn add_long_rows<S: Stored, const INPUTS: usize>(
    mut sums: [&mut [f32]; INPUTS],
    rows: &[S::Bits],
    wide: usize,
    inputs: [&[f32]; INPUTS],
) {
    let length = inputs[0].len();
    let whole = length / AT_ONCE * AT_ONCE;
    for first in (0..whole).step_by(AT_ONCE) {
        let factors = inputs.map(|input| std::array::from_fn(|row| input[first + row]));
        Arch::new().dispatch(Together::<S, INPUTS, AT_ONCE> {
            sums: sums.each_mut().map(|sums| &mut **sums),
            rows: &rows[first * wide..],
            wide,
            factors,
        });
    }
    for row in whole..length {
        Arch::new().dispatch(Together::<S, INPUTS, 1> {
            sums: sums.each_mut().map(|sums| &mut **sums),
            rows: &rows[row * wide..],
            wide,
            factors: inputs.map(|input| [input[row]]),
        });
    }
}

/// Rows that are added together, so that sums are read and written once for all of them.
const AT_ONCE: usize = 4;

/// Rows that are added to sums for some inputs, so that an element that is read serves all inputs.
struct Together<'a, S: Stored, const INPUTS: usize, const ROWS: usize> {
    sums: [&'a mut [f32]; INPUTS],
    rows: &'a [S::Bits],
    wide: usize,
    factors: [[f32; ROWS]; INPUTS],
}

impl<T: Stored, const INPUTS: usize, const ROWS: usize> WithSimd for Together<'_, T, INPUTS, ROWS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let cols = self.sums[0].len();
        let mut factors = [[simd.splat_f32s(0.0); ROWS]; INPUTS];
        for (vectors, factors) in factors.iter_mut().zip(&self.factors) {
            vectors.iter_mut().zip(factors).for_each(|(vector, factor)| *vector = simd.splat_f32s(*factor));
        }
        let mut rows = [&self.rows[..0]; ROWS];
        for (row, elements) in rows.iter_mut().enumerate() {
            *elements = &self.rows[row * self.wide..][..cols];
        }
        let whole = cols / S::F32_LANES * S::F32_LANES;
        for first in (0..whole).step_by(S::F32_LANES) {
            let mut elements = [simd.splat_f32s(0.0); ROWS];
            for (vector, row) in elements.iter_mut().zip(rows) {
                *vector = T::vector(simd, &row[first..]);
            }
            for (sums, factors) in self.sums.iter_mut().zip(&factors) {
                let mut sum = load(simd, &sums[first..]);
                for (element, factor) in elements.iter().zip(factors) {
                    sum = simd.mul_add_f32s(*element, *factor, sum);
                }
                sums[first..first + S::F32_LANES].copy_from_slice(bytemuck::cast_slice(&[sum]));
            }
        }
        for col in whole..cols {
            for (sums, factors) in self.sums.iter_mut().zip(&self.factors) {
                for (row, factor) in rows.iter().zip(factors) {
                    sums[col] = T::widen(row[col]).mul_add(*factor, sums[col]);
                }
            }
        }
    }
}
