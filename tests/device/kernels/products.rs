//! Products of tensors in runs and in tiles, with the copies of their sides.

use opnorm::low_level::ops::{Side, SideLayout, Sizes, Tile};
use opnorm::low_level::{ops, reference};

use super::bounds::{Bound, flushed};
use super::case::Case;
use super::values::{Values, magnitudes, widened};

/// Products on both sides of each choice (batch, rows, length, cols). They are just too small and just large enough for
/// tiles; with several items; narrow, with one copy or none; for tiles of 12; and large enough on hardware, on and past
/// the edges of its tiles.
const LARGE: [Sizes; 7] = [
    Sizes { batch: 1, rows: 64, inner: 64, cols: 63 },
    Sizes { batch: 1, rows: 64, inner: 64, cols: 64 },
    Sizes { batch: 2, rows: 70, inner: 300, cols: 49 },
    Sizes { batch: 1, rows: 4, inner: 1028, cols: 260 },
    Sizes { batch: 1, rows: 247, inner: 270, cols: 257 },
    Sizes { batch: 1, rows: 1025, inner: 5, cols: 1027 },
    Sizes { batch: 1, rows: 1028, inner: 4, cols: 1024 },
];

/// Runs of 16 products, the first of which starts at 0, and a sum for each run: with memory for copies, and without.
pub fn matmul(case: &mut Case<'_>) {
    let (batch, rows, length) = (case.shape.vectors(), case.shape.rows, case.shape.cols);
    product(case, Sizes { batch, rows, inner: length, cols: (rows + length) % 9 + 1 });
    // Large products run once, with the smallest size.
    if (batch, rows, length) == (1, 1, 1) && case.values == Values::Ordinary {
        LARGE.iter().for_each(|sizes| product(case, *sizes));
    }
}

fn product(case: &mut Case<'_>, sizes: Sizes) {
    let Sizes { batch, rows, inner: length, cols } = sizes;
    let mask = case.mask(0);
    for transposed in [[false, false], [false, true], [true, false], [true, true]] {
        let [left, right] = [batch * rows * length, batch * length * cols].map(|size| case.draw(size));
        let (left_buffer, right_buffer) = (case.upload(&left), case.upload(&right));
        let sides = [(&left_buffer, transposed[0]), (&right_buffer, transposed[1])]
            .map(|(buffer, transposed)| Side { buffer, transposed });
        let (left, right) = (widened(&left), widened(&right));
        let product = |item: usize, left: &[f64], right: &[f64]| {
            let left = &left[item * rows * length..(item + 1) * rows * length];
            let right = &right[item * length * cols..(item + 1) * length * cols];
            reference::matmul((rows, length, cols), (left, transposed[0]), (right, transposed[1]))
        };
        let all = |left: &[f64], right: &[f64]| (0..batch).flat_map(|item| product(item, left, right)).collect();
        let (twins, sizes_of): (Vec<f64>, Vec<f64>) =
            (all(&left, &right), all(&magnitudes(&left), &magnitudes(&right)));
        let bounds = product_bound(length, &left, &right).each(&sizes_of);
        let elements = ops::matmul_scratch(sizes, transposed);
        let scratch = case.output(elements);
        let ways = [None, Some(&scratch)];
        for scratch in if elements > 0 || rows * length * cols > 1 << 18 { &ways[..] } else { &ways[1..] } {
            let output = case.output(batch * rows * cols);
            let (found, ()) = case
                .run(&mask, &output, |recorder| ops::matmul(recorder, sizes, sides[0], sides[1], *scratch, &output));
            case.compare(&found, &twins, &bounds);
        }
    }
}

/// A run of at most 16 products, the first of which is added to 0, sums of 32 runs, and the sum of those, one after
/// another.
fn product_bound(length: usize, left: &[f64], right: &[f64]) -> Bound {
    let runs = length.div_ceil(16);
    Bound::of(length.min(16) + runs.min(32) - 1 + runs.div_ceil(32) - 1, flushed(4 * length, &[left, right]))
}

/// Exact: numbers are moved, and the last of a row is repeated up to a whole quad.
pub fn matmul_side(case: &mut Case<'_>) {
    let (batch, size, length) = (case.shape.vectors(), case.shape.rows, case.shape.cols);
    let mask = case.mask(0);
    for already in [false, true] {
        let values = case.draw(batch * size * length);
        let input = case.upload(&values);
        let output = case.output(ops::matmul_side_len(batch, size, length));
        let (found, ()) = case.run(&mask, &output, |recorder| {
            ops::matmul_side(recorder, &SideLayout { batch, size, length, is_laid: already }, &input, &output)
        });
        let values = widened(&values);
        let twin =
            values.chunks_exact(size * length).flat_map(|item| reference::matmul_side(item, (size, length), already));
        case.expect_exact(&found, &twin.collect::<Vec<f64>>());
    }
}

/// Both tile sizes at every size of the product; the padding of a quad is NaN, because it must not matter.
pub fn matmul_tiles(case: &mut Case<'_>) {
    let (batch, rows, length) = (case.shape.batch, case.shape.rows, case.shape.cols);
    let cols = (7 * rows + 3 * length) % 45 + 1;
    let mask = case.mask(0);
    let mut side = |size: usize| {
        let numbers = case.draw(batch * length * size);
        let padded = numbers
            .chunks_exact(size)
            .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(f32::NAN, size.next_multiple_of(4) - size)));
        padded.collect::<Vec<f32>>()
    };
    let (left, right) = (side(rows), side(cols));
    let (left_buffer, right_buffer) = (case.upload(&left), case.upload(&right));
    let (left, right) = (widened(&left), widened(&right));
    let product = |left: &[f64], right: &[f64]| {
        let items = left.chunks_exact(left.len() / batch).zip(right.chunks_exact(right.len() / batch));
        items.flat_map(|(left, right)| reference::matmul_tiles((rows, length, cols), left, right)).collect::<Vec<f64>>()
    };
    let twins = product(&left, &right);
    let bounds = product_bound(length, &left, &right).each(&product(&magnitudes(&left), &magnitudes(&right)));
    for tile in [Tile::Eight, Tile::Twelve] {
        let output = case.output(batch * rows * cols);
        let (found, ()) = case.run(&mask, &output, |recorder| {
            ops::matmul_tiles(
                recorder,
                Sizes { batch, rows, inner: length, cols },
                tile,
                &left_buffer,
                &right_buffer,
                &output,
            )
        });
        case.compare(&found, &twins, &bounds);
    }
}
