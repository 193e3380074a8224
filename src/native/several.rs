//! Products of several rows of a matrix with several vectors, which share what they read.

use pulp::{Arch, Simd, WithSimd};

use super::partial::{RUN, Tree, WIDTH, folded, load, run, runs};
use super::rows::RowProducts;
use crate::tensor::stored::Stored;

/// Rows that read parts of the inputs together, while these are in the first cache.
pub(crate) const ROWS: usize = 4;

/// Inputs that are read together.
const INPUTS: usize = 8;

/// row · input for each row and input: `each` has the row, the input and the product.
///
/// *Accuracy*  as [`super::row_dot`], with the same bits.
pub(crate) fn row_dots<S: Stored>(
    rows: &[S::Bits],
    wide: usize,
    inputs: &[&[f32]],
    mut each: impl FnMut(usize, usize, f32),
) {
    let length = inputs.first().map_or(0, |input| input.len());
    let (mut room, mut sums) = (Vec::new(), [0.0; ROWS * INPUTS]);
    let mut trees = vec![Tree::default(); if length > RUN { ROWS * inputs.len().min(INPUTS) } else { 0 }];
    for (rows, first_row) in rows.chunks(ROWS * wide).zip((0..).step_by(ROWS)) {
        let count = rows.len().div_ceil(wide);
        for (inputs, first_input) in inputs.chunks(INPUTS).zip((0..).step_by(INPUTS)) {
            let sums = &mut sums[..count * inputs.len()];
            sums.fill(0.0);
            Arch::new().dispatch(Group::<S> { rows, wide, inputs, length, trees: &mut trees, sums, room: &mut room });
            for (index, sum) in sums.iter().enumerate() {
                each(first_row + index / inputs.len(), first_input + index % inputs.len(), *sum);
            }
        }
    }
}

/// Some rows, and the sums of their products with each input: rows × inputs.
struct Group<'a, S: Stored> {
    rows: &'a [S::Bits],
    /// The distance of neighbours in a column.
    wide: usize,
    inputs: &'a [&'a [f32]],
    length: usize,
    /// Memory for trees of runs, where there are several runs.
    trees: &'a mut [Tree],
    sums: &'a mut [f32],
    /// Memory for elements that are made ready.
    room: &'a mut Vec<f32>,
}

impl<T: Stored> WithSimd for Group<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows, wide, inputs, length, trees, sums, room } = self;
        trees.fill(Tree::default());
        // A run of all rows and inputs fits the first cache, so that memory is read once.
        for places in runs(length) {
            let count = sums.len() / inputs.len();
            let (first, length) = (places.start, places.len());
            let rows = &rows[first..][..(count - 1) * wide + length];
            if T::is_ready(simd) {
                Part::<T> { rows, wide, first, length, inputs, sums }.with_simd(simd);
            } else {
                let (rows, wide) = T::ready(rows, [count, wide, length], room);
                Part::<T::Ready> { rows, wide, first, length, inputs, sums }.with_simd(simd);
            }
            trees.iter_mut().zip(&*sums).for_each(|(tree, sum)| tree.push(*sum));
        }
        sums.iter_mut().zip(&*trees).for_each(|(sum, tree)| *sum = tree.total());
    }
}

/// A run of some rows, and the sums of its products with a run of each input: rows × inputs.
struct Part<'a, S: Stored> {
    rows: &'a [S::Bits],
    wide: usize,
    /// The first number of the inputs that is read.
    first: usize,
    length: usize,
    inputs: &'a [&'a [f32]],
    sums: &'a mut [f32],
}

impl<T: Stored> WithSimd for Part<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A tile of two rows and two inputs has 16 vectors of sums, or 32 of 8 numbers: too many for 16 registers.
        match S::F32_LANES {
            16 => self.write::<S, 4, 2>(simd),
            8 => self.write::<S, 8, 1>(simd),
            4 => self.write::<S, 16, 1>(simd),
            _ => self.write::<S, WIDTH, 1>(simd),
        }
    }
}

impl<T: Stored> Part<'_, T> {
    #[inline(always)]
    fn row(&self, row: usize) -> &[T::Bits] {
        &self.rows[row * self.wide..][..self.length]
    }

    #[inline(always)]
    fn input(&self, input: usize) -> &[f32] {
        &self.inputs[input][self.first..][..self.length]
    }

    /// Writes the sums, in tiles of `SIDE` rows and inputs where a tile and the vectors are whole.
    #[inline(always)]
    fn write<S: Simd, const VECTORS: usize, const SIDE: usize>(self, simd: S) {
        let (rows, inputs) = (self.rows.len().div_ceil(self.wide.max(1)), self.inputs.len());
        let is_whole = self.length.is_multiple_of(WIDTH);
        for row in (0..rows).step_by(SIDE) {
            for input in (0..inputs).step_by(SIDE) {
                if SIDE == 2 && is_whole && row + SIDE <= rows && input + SIDE <= inputs {
                    let sides = ([self.row(row), self.row(row + 1)], [self.input(input), self.input(input + 1)]);
                    let tile = tile::<S, T, VECTORS>(simd, sides.0, sides.1);
                    for (index, sum) in tile.into_iter().enumerate() {
                        self.sums[(row + index / 2) * inputs + input + index % 2] = sum;
                    }
                    continue;
                }
                for row in row..rows.min(row + SIDE) {
                    for input in input..inputs.min(input + SIDE) {
                        let terms = RowProducts::<T>(self.row(row), self.input(input));
                        self.sums[row * inputs + input] = run::<S, VECTORS>(simd, terms, self.length);
                    }
                }
            }
        }
    }
}

/// The products of two rows with two inputs, of a whole number of [`WIDTH`] elements: each element that is read serves
/// two sums.
#[inline(always)]
fn tile<S: Simd, T: Stored, const VECTORS: usize>(simd: S, rows: [&[T::Bits]; 2], inputs: [&[f32]; 2]) -> [f32; 4] {
    let mut sums = [[simd.splat_f32s(0.0); 4]; VECTORS];
    let ([(top, _), (bottom, _)], [(left, _), (right, _)]) =
        (rows.map(|row| row.as_chunks::<WIDTH>()), inputs.map(|input| input.as_chunks::<WIDTH>()));
    for ((top, bottom), (left, right)) in top.iter().zip(bottom).zip(left.iter().zip(right)) {
        for (vector, sums) in sums.iter_mut().enumerate() {
            let first = vector * S::F32_LANES;
            let (top, bottom) = (T::vector(simd, &top[first..]), T::vector(simd, &bottom[first..]));
            let (left, right) = (load(simd, &left[first..]), load(simd, &right[first..]));
            sums[0] = simd.mul_add_f32s(top, left, sums[0]);
            sums[1] = simd.mul_add_f32s(top, right, sums[1]);
            sums[2] = simd.mul_add_f32s(bottom, left, sums[2]);
            sums[3] = simd.mul_add_f32s(bottom, right, sums[3]);
        }
    }
    let mut totals = [0.0; 4];
    for (index, total) in totals.iter_mut().enumerate() {
        let mut own = [simd.splat_f32s(0.0); VECTORS];
        own.iter_mut().zip(&sums).for_each(|(own, sums)| *own = sums[index]);
        *total = folded(simd, own);
    }
    totals
}
