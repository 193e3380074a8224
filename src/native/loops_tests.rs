//! The loops against plain loops in `f64`, within the bounds that their comments state.

use half::{bf16, f16};

use super::rows::{add_rows, row_dot};
use super::*;
use crate::bound::gamma;
use crate::tensor::stored::{Bf16, F16, F32, Stored};

/// Lengths around one vector, one run, a tree of runs, and a tree that is not full.
const LENGTHS: [usize; 12] = [0, 1, 3, 15, 63, 64, 65, 1023, 1024, 1025, 7 * 1024 + 13, 70_001];

/// Numbers without a pattern that a wrong stride would keep, of both signs.
fn numbers(length: usize, seed: usize) -> Vec<f32> {
    (0..length).map(|place| ((place * 7919 + seed * 104_729) % 1013) as f32 / 128.0 - 3.9).collect()
}

/// Fails where `found` is further from the sum of `terms` than so many roundings of `f32` explain.
fn expect_sum(found: f32, terms: impl Iterator<Item = f64>, roundings: u32, at: &str) {
    let (mut exact, mut magnitude, mut count) = (0.0, 0.0, 0);
    for term in terms {
        (exact, magnitude, count) = (exact + term, magnitude + term.abs(), count + 1);
    }
    let unit = f64::from(roundings) * f64::from(f32::EPSILON) / 2.0;
    // The second part is the error of this loop, and of its magnitude.
    let bound = (unit / (1.0 - unit) + 2.0 * gamma(count + 1)) * magnitude;
    let error = (f64::from(found) - exact).abs();
    assert!(error <= bound, "{at}: {found} for {exact}, off by {error:e} and {bound:e} is allowed");
}

fn log2(count: usize) -> u32 {
    count.max(1).next_power_of_two().trailing_zeros()
}

/// The roundings of a sum through 64 partial sums.
fn roundings(length: usize) -> u32 {
    if length <= 1024 { length.div_ceil(64) as u32 + 6 } else { 22 + log2(length.div_ceil(1024)) }
}

fn product_of((left, right): (&f32, &f32)) -> f64 {
    f64::from(*left) * f64::from(*right)
}

/// Sums of a storage, of the elements that `bits` makes of numbers.
fn sums_of<S: Stored>(bits: impl Fn(f32) -> S::Bits, name: &str) {
    for length in LENGTHS {
        let elements: Vec<S::Bits> = numbers(length, 1).into_iter().map(&bits).collect();
        let wide: Vec<f32> = elements.iter().map(|bits| S::widen(*bits)).collect();
        let input = numbers(length, 2);
        let (at, count) = (format!("{name}, {length}"), roundings(length));
        expect_sum(row_dot::<S>(&elements, &input), wide.iter().zip(&input).map(product_of), count, &at);
        let values = wide.iter().map(|element| f64::from(0.3f32 * element));
        expect_sum(squares::<S>(&elements, 0.3), values.map(|value| value * value), count, &at);
        let magnitude = wide.iter().map(|element| f64::from(element.abs()));
        expect_sum(magnitudes::<S>(&elements), magnitude, count - 1, &at);
    }
}

#[test]
fn sums_of_every_storage_are_within_their_bounds() {
    sums_of::<F32>(|number| number, "f32");
    sums_of::<F16>(|number| f16::from_f32(number).to_bits(), "f16");
    sums_of::<Bf16>(|number| bf16::from_f32(number).to_bits(), "bf16");
}

#[test]
fn several_products_of_rows_have_the_bits_of_one() {
    for ((rows, length, wide), count) in [((1, 5, 8), 1), ((4, 1025, 1028), 2), ((6, 5000, 5000), 9), ((9, 64, 64), 3)]
    {
        let (elements, inputs) = (numbers(rows * wide, 14), numbers(count * length, 15));
        let inputs: Vec<&[f32]> = inputs.chunks(length).collect();
        let mut found = vec![0; rows * count];
        row_dots::<F32>(&elements, wide, &inputs, |row, input, sum| found[row * count + input] += sum.to_bits());
        for (index, found) in found.iter().enumerate() {
            let row = &elements[index / count * wide..][..length];
            assert_eq!(*found, row_dot::<F32>(row, inputs[index % count]).to_bits(), "{rows} x {length}, {index}");
        }
    }
}

#[test]
fn squares_of_residuals_are_within_their_bound() {
    for length in LENGTHS {
        let (product, direction) = (numbers(length, 3), numbers(length, 4));
        let values = product.iter().zip(&direction).map(|(product, direction)| 0.7f32 * product - 1.3f32 * direction);
        let found = residual_squares(&product, &direction, 0.7, 1.3);
        expect_sum(found, values.map(|value| f64::from(value).powi(2)), roundings(length), &format!("{length}"));
    }
}

/// Sums of rows of a storage, whose elements lie `wide` apart.
fn rows_of<S: Stored>(bits: impl Fn(f32) -> S::Bits, name: &str) {
    for (rows, cols, wide) in [(0, 5, 8), (1, 1, 4), (3, 7, 8), (4, 64, 64), (5, 65, 68), (17, 130, 132)] {
        let elements: Vec<S::Bits> = numbers(rows * wide, 5).into_iter().map(&bits).collect();
        let (input, before) = (numbers(rows, 6), numbers(cols, 7));
        let mut found = before.clone();
        add_rows::<S>(&mut found, &elements, wide, &input);
        for (col, found) in found.iter().enumerate() {
            let term = |(row, factor): (usize, &f32)| product_of((&S::widen(elements[row * wide + col]), factor));
            let terms = std::iter::once(f64::from(before[col])).chain(input.iter().enumerate().map(term));
            expect_sum(*found, terms, rows as u32, &format!("{name}: {rows} x {cols}, column {col}"));
        }
    }
}

#[test]
fn sums_of_rows_of_every_storage_are_within_their_bounds() {
    rows_of::<F32>(|number| number, "f32");
    rows_of::<F16>(|number| f16::from_f32(number).to_bits(), "f16");
    rows_of::<Bf16>(|number| bf16::from_f32(number).to_bits(), "bf16");
}

/// A side whose numbers lie in rows, or in columns, with a gap between these.
fn side(elements: &[f32], item: usize, [size, length]: [usize; 2], along_rows: bool) -> Strided<'_> {
    let (across, along) = if along_rows { (length + 1, 1) } else { (1, size + 1) };
    Strided { elements: &elements[item * (size + 1) * (length + 1)..], across, along }
}

#[test]
fn products_of_any_strides_and_sizes_are_within_their_bound() {
    let small = [[1, 1, 1], [3, 0, 2], [4, 16, 16], [5, 17, 19], [33, 1, 47], [2, 1000, 3], [7, 529, 31]];
    // Tiles of every height, several panels, and rows that do not share a panel.
    let shapes = small.into_iter().chain([[23, 40, 70], [27, 33, 8], [25, 30_000, 2], [3, 70, 1], [530, 300, 1]]);
    for ([rows, length, cols], ways) in shapes.flat_map(|shape| (0..4).map(move |ways| (shape, ways))) {
        let (first, second) = ([rows, length], [cols, length]);
        let (left, right) = (numbers(2 * (rows + 1) * (length + 1), 8), numbers(2 * (cols + 1) * (length + 1), 9));
        let left = |item| side(&left, item, first, ways & 1 == 0);
        let right = |item| side(&right, item, second, ways & 2 == 0);
        let (runs, run) = if length > 60 { (Runs::Of32, 32) } else { (Runs::Of16, 16) };
        let mut output = vec![f32::NAN; 2 * rows * cols];
        product([rows, length, cols], runs, Asked::All, left, right, &mut output);
        let mut below = vec![f32::NAN; 2 * rows * cols];
        product([rows, length, cols], runs, Asked::Below(3), left, right, &mut below);
        for (index, (all, below)) in output.iter().zip(&below).enumerate() {
            let (row, col) = (index / cols % rows, index % cols);
            assert!(col > row + 3 || all.to_bits() == below.to_bits(), "{row}, {col}");
        }
        for (index, found) in output.iter().enumerate() {
            let (item, row, col) = (index / (rows * cols), index / cols % rows, index % cols);
            let (left, right) = (left(item), right(item));
            let term = |step: usize| {
                let left = &left.elements[row * left.across + step * left.along];
                product_of((left, &right.elements[col * right.across + step * right.along]))
            };
            let roundings = run + log2(length.div_ceil(run as usize));
            expect_sum(*found, (0..length).map(term), roundings, &format!("{rows} x {length} x {cols}, {index}"));
        }
    }
}

#[test]
fn trees_of_sums_are_within_their_bound() {
    for (count, width) in [0, 1, 2, 16, 17, 48, 49, 500, 1025].into_iter().flat_map(|count| [(count, 1), (count, 5)]) {
        let terms = numbers(count * width, 10);
        let roundings = count.min(16).saturating_sub(1) as u32 + log2(count.div_ceil(16));
        let [mut tree, mut rows] = [vec![f32::NAN; width], vec![f32::NAN; width]];
        tree_of_sums(&mut tree, count, |segment| &terms[segment * width..][..width]);
        sum_rows(&mut rows, count, |row| &terms[row * width..]);
        for found in [tree, rows] {
            for (place, found) in found.iter().enumerate() {
                let own = terms.iter().skip(place).step_by(width).map(|term| f64::from(*term));
                expect_sum(*found, own, roundings, &format!("{count} x {width}"));
            }
        }
    }
}

#[test]
fn multiples_are_added_within_their_bounds() {
    for length in [0, 1, 7, 64, 1000] {
        let (input, before) = (numbers(3 * length, 11), numbers(length, 12));
        let [mut both, mut one, mut apart] = [before.clone(), before.clone(), before.clone()];
        combine(0.3, &input, 1.7, &mut both);
        add_multiple(0.3, &input, &mut one);
        add_strided(0.3, &input, 3, &mut apart);
        for place in 0..length {
            let terms = |factor: f32, input: f32| [product_of((&0.3, &input)), product_of((&factor, &before[place]))];
            expect_sum(both[place], terms(1.7, input[place]).into_iter(), 2, "combine");
            expect_sum(one[place], terms(1.0, input[place]).into_iter(), 1, "add_multiple");
            expect_sum(apart[place], terms(1.0, input[3 * place]).into_iter(), 1, "add_strided");
        }
    }
}

#[test]
fn the_largest_finite_magnitude_is_exact() {
    for length in [1, 5, 64, 1000] {
        let mut elements = numbers(length, 13);
        let largest = |elements: &[f32]| {
            elements.iter().filter(|x| x.is_finite()).fold(0f32, |largest, x| largest.max(x.abs())).to_bits()
        };
        assert_eq!(largest_magnitude::<F32>(&elements, 100), [largest(&elements), u32::MAX]);
        for (place, bad) in [(length - 1, f32::NAN), (length / 2, f32::NEG_INFINITY)] {
            elements[place] = bad;
            assert_eq!(largest_magnitude::<F32>(&elements, 100), [largest(&elements), 100 + place as u32]);
        }
    }
}
