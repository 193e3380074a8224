//! Sums of terms in one order, whatever the width of vectors.

use std::ops::Range;

use super::wide::wide;
use crate::tensor::stored::Stored;

/// Partial sums side by side: 16 lanes of 4, as [`crate::device::Profile::HOST`] says.
const WIDTH: usize = 64;

/// Elements of a run: 16 terms of each partial sum.
const RUN: usize = 16 * WIDTH;

/// Terms of a sum, each of which is added in one rounding.
///
/// A type and not a closure, because a closure need not be inlined into what is compiled for wide vectors.
pub(super) trait Terms: Copy {
    /// The terms of a part.
    fn part(self, places: Range<usize>) -> Self;

    /// A sum with one term added.
    fn add(self, place: usize, sum: f32) -> f32;
}

/// The sum of the first `length` terms, through 64 partial sums.
///
/// *Accuracy*  |error| <= gamma(22 + ⌈log2 ⌈length / 1024⌉⌉) · Σ|terms|: 16 roundings of a run, 6 of its 64 partial
/// sums, and a tree of runs. Below 1024 terms, gamma(⌈length / 64⌉ + 6). One rounding less where terms are exact.
#[inline(always)]
pub(super) fn sum_of(length: usize, terms: impl Terms) -> f32 {
    if length <= RUN {
        return run(terms, length);
    }
    // Level k holds the sum of 2^k runs until another of its size is there: the ones of the number of runs so far.
    let mut levels = [0.0f32; usize::BITS as usize];
    let count = length.div_ceil(RUN);
    for index in 0..count {
        let places = index * RUN..length.min((index + 1) * RUN);
        let mut sum = run(terms.part(places.clone()), places.len());
        let level = index.trailing_ones() as usize;
        for waiting in &levels[..level] {
            sum += waiting;
        }
        levels[level] = sum;
    }
    let waiting = levels.iter().enumerate().filter(|(level, _)| count >> level & 1 == 1);
    waiting.fold(0.0, |total, (_, sum)| total + sum)
}

/// Partial sums in vectors of 8, with constant indices alone, so that they stay in registers.
type Vectors = [[f32; 8]; WIDTH / 8];

/// The sum of a run of so many terms.
#[inline(always)]
fn run(terms: impl Terms, length: usize) -> f32 {
    let whole = length / WIDTH * WIDTH;
    let mut vectors = Vectors::default();
    for first in (0..whole).step_by(WIDTH) {
        let part = terms.part(first..first + WIDTH);
        for (index, vector) in vectors.iter_mut().enumerate() {
            for (lane, sum) in vector.iter_mut().enumerate() {
                *sum = part.add(8 * index + lane, *sum);
            }
        }
    }
    if whole == length {
        return folded(vectors);
    }
    // Another array, because one with indices that vary stays in memory.
    let (part, mut vectors) = (terms.part(whole..length), vectors);
    for (lane, sum) in vectors.as_flattened_mut()[..length - whole].iter_mut().enumerate() {
        *sum = part.add(lane, *sum);
    }
    folded(vectors)
}

#[inline(always)]
fn add(mut one: [f32; 8], other: [f32; 8]) -> [f32; 8] {
    for (one, other) in one.iter_mut().zip(other) {
        *one += other;
    }
    one
}

/// The sum of partial sums in a tree: those of either half, then of either quarter, and so on.
#[inline(always)]
fn folded(vectors: Vectors) -> f32 {
    let [a, b, c, d, e, f, g, h] = vectors;
    let [a, b, c, d] = [add(a, e), add(b, f), add(c, g), add(d, h)];
    let [p, q, r, s, t, u, v, w] = add(add(a, c), add(b, d));
    ((p + t) + (r + v)) + ((q + u) + (s + w))
}

/// Terms left · right.
#[derive(Clone, Copy)]
struct Products<'a>(&'a [f32], &'a [f32]);

impl Terms for Products<'_> {
    #[inline(always)]
    fn part(self, places: Range<usize>) -> Self {
        Self(&self.0[places.clone()], &self.1[places])
    }

    #[inline(always)]
    fn add(self, place: usize, sum: f32) -> f32 {
        self.0[place].mul_add(self.1[place], sum)
    }
}

wide! {
    /// left · right
    ///
    /// *Accuracy*  as [`sum_of`].
    pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
        sum_of(left.len(), Products(left, right))
    }
}

/// Terms (factor · left - other · right)².
#[derive(Clone, Copy)]
struct Differences<'a> {
    pair: Products<'a>,
    factor: f32,
    other: f32,
}

impl Terms for Differences<'_> {
    #[inline(always)]
    fn part(self, places: Range<usize>) -> Self {
        Self { pair: self.pair.part(places), ..self }
    }

    #[inline(always)]
    fn add(self, place: usize, sum: f32) -> f32 {
        let value = self.factor * self.pair.0[place] - self.other * self.pair.1[place];
        value.mul_add(value, sum)
    }
}

wide! {
    /// Σ (factor · product - sigma · direction)²
    ///
    /// *Accuracy*  as [`sum_of`], of the values.
    pub(crate) fn residual_squares(product: &[f32], direction: &[f32], factor: f32, sigma: f32) -> f32 {
        sum_of(product.len(), Differences { pair: Products(product, direction), factor, other: sigma })
    }
}

/// Terms (factor · x)² of elements in a storage.
#[derive(Clone, Copy)]
struct Squares<'a, S: Stored>(&'a [S::Bits], f32);

impl<S: Stored> Terms for Squares<'_, S> {
    #[inline(always)]
    fn part(self, places: Range<usize>) -> Self {
        Self(&self.0[places], self.1)
    }

    #[inline(always)]
    fn add(self, place: usize, sum: f32) -> f32 {
        let value = self.1 * S::widen(self.0[place]);
        value.mul_add(value, sum)
    }
}

wide! {
    /// Σ (factor · x)² over elements in a storage.
    ///
    /// *Accuracy*  as [`sum_of`], of the values.
    pub(crate) fn squares<S: Stored>(elements: &[S::Bits], factor: f32) -> f32 {
        sum_of(elements.len(), Squares::<S>(elements, factor))
    }
}

/// Terms |x| of elements in a storage.
#[derive(Clone, Copy)]
struct Magnitudes<'a, S: Stored>(&'a [S::Bits]);

impl<S: Stored> Terms for Magnitudes<'_, S> {
    #[inline(always)]
    fn part(self, places: Range<usize>) -> Self {
        Self(&self.0[places])
    }

    #[inline(always)]
    fn add(self, place: usize, sum: f32) -> f32 {
        sum + S::widen(self.0[place]).abs()
    }
}

wide! {
    /// Σ |x| over elements in a storage.
    ///
    /// *Accuracy*  as [`sum_of`], of exact terms.
    pub(crate) fn magnitudes<S: Stored>(elements: &[S::Bits]) -> f32 {
        sum_of(elements.len(), Magnitudes::<S>(elements))
    }
}

/// Elements as terms.
#[derive(Clone, Copy)]
struct Elements<'a>(&'a [f32]);

impl Terms for Elements<'_> {
    #[inline(always)]
    fn part(self, places: Range<usize>) -> Self {
        Self(&self.0[places])
    }

    #[inline(always)]
    fn add(self, place: usize, sum: f32) -> f32 {
        sum + self.0[place]
    }
}

wide! {
    /// Σ x
    ///
    /// *Accuracy*  as [`sum_of`], of exact terms.
    fn total(elements: &[f32]) -> f32 {
        sum_of(elements.len(), Elements(elements))
    }
}

/// Sums of rows, entry by entry: one entry through 64 partial sums, several through a tree.
///
/// *Accuracy*  gamma(min(n, 16) - 1 + ⌈log2 ⌈n / 16⌉⌉) · Σ|rows|, entrywise.
pub(crate) fn sum_rows<'a>(output: &mut [f32], rows: usize, row: impl Fn(usize) -> &'a [f32]) {
    match output {
        [sum] => *sum = total(&row(0)[..rows]),
        _ => tree_of_sums(output, rows, row),
    }
}

/// Terms that are added one after another before their sum enters a tree, as in `shaders/lib/tree.wgsl`.
const TREE_RUN: usize = 16;

/// Sums over segments, element by element: runs of 16, and a tree of the sums of runs.
pub(crate) fn tree_of_sums<'a>(output: &mut [f32], segments: usize, part: impl Fn(usize) -> &'a [f32]) {
    let runs = segments.div_ceil(TREE_RUN);
    let run = |index: usize| {
        let mut sum = vec![0.0; output.len()];
        for segment in (index * TREE_RUN..segments).take(TREE_RUN) {
            sum.iter_mut().zip(part(segment)).for_each(|(sum, term)| *sum += term);
        }
        sum
    };
    let mut levels: Vec<Option<Vec<f32>>> = Vec::new();
    let join = |mut one: Vec<f32>, other: &[f32]| {
        one.iter_mut().zip(other).for_each(|(one, other)| *one += other);
        one
    };
    for index in 0..runs {
        let (mut sum, mut level) = (run(index), 0);
        while let Some(waiting) = levels.get_mut(level).and_then(Option::take) {
            (sum, level) = (join(sum, &waiting), level + 1);
        }
        levels.resize(levels.len().max(level + 1), None);
        levels[level] = Some(sum);
    }
    let total = levels.into_iter().flatten().reduce(|total, level| join(level, &total));
    match total {
        Some(total) => output.copy_from_slice(&total),
        None => output.fill(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_exact_arithmetic() {
        for length in [0usize, 1, 63, 64, 65, 1000, 1024, 1025, 5000, 70_001] {
            let left: Vec<f32> = (0..length).map(|place| ((place * 7919) % 1013) as f32 - 500.0).collect();
            let right: Vec<f32> = (0..length).map(|place| ((place * 104_729) % 997) as f32 / 997.0).collect();
            let terms = left.iter().zip(&right).map(|(left, right)| f64::from(*left) * f64::from(*right));
            let (exact, magnitude) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
            let runs = length.div_ceil(RUN).max(1).next_power_of_two().trailing_zeros();
            let bound = f64::from(22 + runs) * f64::from(f32::EPSILON) / 2.0 * 1.001 * magnitude;
            assert!((f64::from(dot(&left, &right)) - exact).abs() <= bound, "{length}");
        }
    }
}
