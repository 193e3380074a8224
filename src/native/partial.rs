//! Sums of terms in one order, whatever the width of vectors.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

/// Partial sums side by side: 16 lanes of 4, as [`crate::device::Profile::HOST`] says.
pub(super) const WIDTH: usize = 64;

/// Elements of a run: 16 terms of each partial sum.
pub(super) const RUN: usize = 16 * WIDTH;

/// Terms of a sum, each of which is added in one rounding.
///
/// A type and not a closure, because a closure need not be inlined into what is compiled for wide vectors.
pub(super) trait Terms: Copy {
    /// The terms of a part.
    fn part(self, places: Range<usize>) -> Self;

    /// A sum with one term added.
    fn add(self, place: usize, sum: f32) -> f32;

    /// As [`Terms::add`], of the first terms of the part to each of a vector of sums.
    fn add_each<S: Simd>(self, simd: S, sums: S::f32s) -> S::f32s;
}

/// The first elements in a vector.
#[inline(always)]
pub(super) fn load<S: Simd>(_simd: S, elements: &[f32]) -> S::f32s {
    bytemuck::cast_slice(&elements[..S::F32_LANES])[0]
}

/// The sum of the first `length` terms, through 64 partial sums.
///
/// *Accuracy*  |error| <= gamma(22 + ⌈log2 ⌈length / 1024⌉⌉) · Σ|terms|: 16 roundings of a run, 6 of its 64 partial
/// sums, and a tree of runs. Below 1024 terms, gamma(⌈length / 64⌉ + 6). One rounding less where terms are exact.
pub(super) fn sum_of(length: usize, terms: impl Terms) -> f32 {
    Arch::new().dispatch(Sum { length, terms })
}

/// A sum that is compiled for each width of vectors.
pub(super) struct Sum<T> {
    pub(super) length: usize,
    pub(super) terms: T,
}

impl<T: Terms> WithSimd for Sum<T> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        match S::F32_LANES {
            16 => self.total::<S, 4>(simd),
            8 => self.total::<S, 8>(simd),
            4 => self.total::<S, 16>(simd),
            _ => self.total::<S, WIDTH>(simd),
        }
    }
}

impl<T: Terms> Sum<T> {
    #[inline(always)]
    fn total<S: Simd, const VECTORS: usize>(self, simd: S) -> f32 {
        let Self { length, terms } = self;
        if length <= RUN {
            return run::<S, VECTORS>(simd, terms, length);
        }
        let mut tree = Tree::default();
        for places in runs(length) {
            tree.push(run::<S, VECTORS>(simd, terms.part(places.clone()), places.len()));
        }
        tree.total()
    }
}

/// The places of runs.
#[inline(always)]
pub(super) fn runs(length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(RUN).map(move |first| first..length.min(first + RUN))
}

/// A tree of sums of runs.
#[derive(Clone, Copy, Default)]
pub(super) struct Tree {
    /// Level k holds the sum of 2^k runs until another of its size is there: the ones of the number of runs so far.
    levels: [f32; 32],
    count: u32,
}

impl Tree {
    #[inline(always)]
    pub(super) fn push(&mut self, mut sum: f32) {
        let level = self.count.trailing_ones() as usize;
        for waiting in &self.levels[..level] {
            sum += waiting;
        }
        self.levels[level] = sum;
        self.count += 1;
    }

    #[inline(always)]
    pub(super) fn total(&self) -> f32 {
        if self.count == 1 {
            return self.levels[0];
        }
        let waiting = self.levels.iter().enumerate().filter(|(level, _)| self.count >> level & 1 == 1);
        waiting.fold(0.0, |total, (_, sum)| total + sum)
    }
}

/// The sum of a run of so many terms, with its partial sums in vectors.
///
/// Vectors are typed as such, because a compiler takes arrays of numbers for pairs, as the tree of sums adds them.
#[inline(always)]
pub(super) fn run<S: Simd, const VECTORS: usize>(simd: S, terms: impl Terms, length: usize) -> f32 {
    let whole = length / WIDTH * WIDTH;
    let mut vectors = [simd.splat_f32s(0.0); VECTORS];
    for first in (0..whole).step_by(WIDTH) {
        let part = terms.part(first..first + WIDTH);
        for (index, vector) in vectors.iter_mut().enumerate() {
            let places = index * S::F32_LANES..(index + 1) * S::F32_LANES;
            *vector = part.part(places).add_each(simd, *vector);
        }
    }
    if whole == length {
        return folded(simd, vectors);
    }
    let (part, rest) = (terms.part(whole..length), length - whole);
    for (index, vector) in vectors.iter_mut().enumerate() {
        let places = index * S::F32_LANES..(index + 1) * S::F32_LANES;
        if places.end <= rest {
            *vector = part.part(places).add_each(simd, *vector);
        }
    }
    let done = rest / S::F32_LANES * S::F32_LANES;
    if done == rest {
        return folded(simd, vectors);
    }
    // Another array, because one with indices that vary stays in memory.
    let mut partial = vectors;
    let sums: &mut [f32] = bytemuck::cast_slice_mut(&mut partial);
    for (lane, sum) in sums[..rest].iter_mut().enumerate().skip(done) {
        *sum = part.add(lane, *sum);
    }
    folded(simd, partial)
}

/// The sum of partial sums in a tree: those of either half, then of either quarter, and so on.
#[inline(always)]
pub(super) fn folded<S: Simd, const VECTORS: usize>(simd: S, mut vectors: [S::f32s; VECTORS]) -> f32 {
    let mut count = VECTORS;
    while count > 1 {
        count /= 2;
        for index in 0..count {
            vectors[index] = simd.add_f32s(vectors[index], vectors[index + count]);
        }
    }
    let mut sums = [0.0f32; 16];
    let lanes: &[f32] = bytemuck::cast_slice(&vectors[..1]);
    sums[..lanes.len()].copy_from_slice(lanes);
    let mut count = lanes.len();
    while count > 1 {
        count /= 2;
        for index in 0..count {
            sums[index] += sums[index + count];
        }
    }
    sums[0]
}
