//! Sums over vectors.

use std::ops::Range;

use pulp::Simd;

use super::partial::{Terms, load, sum_of};
use crate::tensor::stored::Stored;

/// Terms left · right.
#[derive(Clone, Copy)]
pub(super) struct Products<'a>(pub(super) &'a [f32], pub(super) &'a [f32]);

impl Terms for Products<'_> {
    #[inline(always)]
    fn part(self, places: Range<usize>) -> Self {
        Self(&self.0[places.clone()], &self.1[places])
    }

    #[inline(always)]
    fn add(self, place: usize, sum: f32) -> f32 {
        self.0[place].mul_add(self.1[place], sum)
    }

    #[inline(always)]
    fn add_each<S: Simd>(self, simd: S, sums: S::f32s) -> S::f32s {
        simd.mul_add_f32s(load(simd, self.0), load(simd, self.1), sums)
    }
}

/// left · right
///
/// *Accuracy*  as [`sum_of`].
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    sum_of(left.len(), Products(left, right))
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

    #[inline(always)]
    fn add_each<S: Simd>(self, simd: S, sums: S::f32s) -> S::f32s {
        let left = simd.mul_f32s(simd.splat_f32s(self.factor), load(simd, self.pair.0));
        let right = simd.mul_f32s(simd.splat_f32s(self.other), load(simd, self.pair.1));
        let value = simd.sub_f32s(left, right);
        simd.mul_add_f32s(value, value, sums)
    }
}

/// Σ (factor · product - sigma · direction)²
///
/// *Accuracy*  as [`sum_of`], of the values.
pub(crate) fn residual_squares(product: &[f32], direction: &[f32], factor: f32, sigma: f32) -> f32 {
    sum_of(product.len(), Differences { pair: Products(product, direction), factor, other: sigma })
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

    #[inline(always)]
    fn add_each<V: Simd>(self, simd: V, sums: V::f32s) -> V::f32s {
        let value = simd.mul_f32s(simd.splat_f32s(self.1), S::vector(simd, self.0));
        simd.mul_add_f32s(value, value, sums)
    }
}

/// Σ (factor · x)² over elements in a storage.
///
/// *Accuracy*  as [`sum_of`], of the values.
pub(crate) fn squares<S: Stored>(elements: &[S::Bits], factor: f32) -> f32 {
    sum_of(elements.len(), Squares::<S>(elements, factor))
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

    #[inline(always)]
    fn add_each<V: Simd>(self, simd: V, sums: V::f32s) -> V::f32s {
        simd.add_f32s(sums, simd.abs_f32s(S::vector(simd, self.0)))
    }
}

/// Σ |x| over elements in a storage.
///
/// *Accuracy*  as [`sum_of`], of exact terms.
pub(crate) fn magnitudes<S: Stored>(elements: &[S::Bits]) -> f32 {
    sum_of(elements.len(), Magnitudes::<S>(elements))
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

    #[inline(always)]
    fn add_each<S: Simd>(self, simd: S, sums: S::f32s) -> S::f32s {
        simd.add_f32s(sums, load(simd, self.0))
    }
}

/// Σ x
///
/// *Accuracy*  as [`sum_of`], of exact terms.
fn total(elements: &[f32]) -> f32 {
    sum_of(elements.len(), Elements(elements))
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
    use super::super::partial::RUN;
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
