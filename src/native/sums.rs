//! Sums of products.

use super::wide::wide;
use crate::tensor::stored::Stored;

/// Partial sums side by side: 16 lanes of 4, as [`crate::gpu::Profile::HOST`] says.
const WIDTH: usize = 64;

/// Elements of a run: 16 terms of each partial sum.
const RUN: usize = 16 * WIDTH;

wide! {
    /// left · right
    ///
    /// *Accuracy*  |error| <= gamma(22 + ⌈log2 ⌈n / 1024⌉⌉) · |left| · |right|: 16 roundings of a run, 6 of its 64 partial
    /// sums, and a tree of runs. Below 1024 elements, gamma(⌈n / 64⌉ + 6).
    pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
        sum_of(left.len(), |place, sums| {
            let (left, right) = (&left[place..], &right[place..]);
            if let (Some(left), Some(right)) = (left.first_chunk::<WIDTH>(), right.first_chunk::<WIDTH>()) {
                for lane in 0..WIDTH {
                    sums[lane] = left[lane].mul_add(right[lane], sums[lane]);
                }
            } else {
                for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                    *sum = left.mul_add(*right, *sum);
                }
            }
        })
    }
}

/// The sum over `length` terms, which `add` adds to the partial sums: 64 of them from a place on, or the last ones.
///
/// *Accuracy*  as [`dot`], where `add` rounds once a term.
#[inline(always)]
pub(super) fn sum_of(length: usize, add: impl Fn(usize, &mut [f32; WIDTH])) -> f32 {
    let run = |first: usize| {
        let mut sums = [0.0; WIDTH];
        for place in (first..length.min(first + RUN)).step_by(WIDTH) {
            add(place, &mut sums);
        }
        let mut width = WIDTH;
        while width > 1 {
            width /= 2;
            for lane in 0..width {
                sums[lane] += sums[lane + width];
            }
        }
        sums[0]
    };
    // A tree of runs: its levels that wait for a sum of their size are the ones of the number of runs so far.
    let mut levels = [0.0f32; usize::BITS as usize];
    for index in 0..length.div_ceil(RUN) {
        let mut sum = run(index * RUN);
        let level = (!index).trailing_zeros() as usize;
        for waiting in &levels[..level] {
            sum += waiting;
        }
        levels[level] = sum;
    }
    let count = length.div_ceil(RUN);
    let waiting = levels.iter().enumerate().filter(|(level, _)| count >> level & 1 == 1);
    waiting.fold(0.0, |total, (_, sum)| total + sum)
}

wide! {
    /// Σ (factor · x)²
    ///
    /// *Accuracy*  as [`dot`], of the values.
    pub(crate) fn scaled_squares(input: &[f32], factor: f32) -> f32 {
        sum_of(input.len(), |place, sums| {
            for (sum, input) in sums.iter_mut().zip(&input[place..]) {
                let value = factor * input;
                *sum = value.mul_add(value, *sum);
            }
        })
    }
}

wide! {
    /// Σ (factor · product - sigma · direction)²
    ///
    /// *Accuracy*  as [`dot`], of the values.
    pub(crate) fn residual_squares(product: &[f32], direction: &[f32], factor: f32, sigma: f32) -> f32 {
        sum_of(product.len(), |place, sums| {
            for ((sum, product), direction) in sums.iter_mut().zip(&product[place..]).zip(&direction[place..]) {
                let value = factor * product - sigma * direction;
                *sum = value.mul_add(value, *sum);
            }
        })
    }
}

/// Sums of rows, entry by entry: one entry through 64 partial sums, several through a tree.
///
/// *Accuracy*  gamma(min(n, 16) - 1 + ⌈log2 ⌈n / 16⌉⌉) · Σ|rows|, entrywise.
pub(crate) fn sum_rows<'a>(output: &mut [f32], rows: usize, row: impl Fn(usize) -> &'a [f32]) {
    match output {
        [sum] => {
            let elements = row(0);
            *sum = sum_of(rows, |place, sums| {
                sums.iter_mut().zip(&elements[place..rows]).for_each(|(sum, element)| *sum += element);
            });
        }
        _ => tree_of_sums(output, rows, row),
    }
}

wide! {
    /// Σ |x| over elements of a storage.
    ///
    /// *Accuracy*  as [`dot`].
    pub(crate) fn magnitudes<S: Stored>(elements: &[S::Bits]) -> f32 {
        sum_of(elements.len(), |place, sums| {
            sums.iter_mut().zip(&elements[place..]).for_each(|(sum, element)| *sum += S::widen(*element).abs());
        })
    }
}

wide! {
    /// Σ x² over elements of a storage.
    ///
    /// *Accuracy*  as [`dot`].
    pub(crate) fn squares<S: Stored>(elements: &[S::Bits]) -> f32 {
        sum_of(elements.len(), |place, sums| {
            for (sum, element) in sums.iter_mut().zip(&elements[place..]) {
                let value = S::widen(*element);
                *sum = value.mul_add(value, *sum);
            }
        })
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
