//! LU factors: panels, the columns beside them, and what is left.
//!
//! A pivot that rounding turns changes all of the factors, so that these are compared by what they factor: P A = L U,
//! with a bound in the magnitudes of the products.

use std::ops::Range;

use opnorm::device::Buffer;
use opnorm::low_level::ops::{self, Factors};
use opnorm::low_level::reference;

use super::bounds::Bound;
use super::case::Case;
use super::values::{Values, magnitudes, widened};

/// Factors of matrices on the device, with the numbers before.
pub(super) struct Packed {
    pub(super) batch: usize,
    pub(super) size: usize,
    pub(super) before: Vec<f32>,
    pub(super) buffer: Buffer<f32>,
}

impl Packed {
    /// Random matrices, with exchanges of rows in `columns`.
    pub(super) fn draw(case: &mut Case<'_>, columns: &Range<usize>) -> Self {
        let (batch, size) = (case.shape.vectors(), size_of(case));
        // A quotient with a subnormal pivot says nothing.
        let values = if case.values == Values::Tiny { Values::Ordinary } else { case.values };
        let mut before = Vec::new();
        for _ in 0..batch {
            before.extend(case.draw_as(values, size * size));
            let pivots: Vec<f32> = (0..size)
                .map(|row| if columns.contains(&row) { row + case.below(size - row) } else { row })
                .map(|row| row as f32)
                .collect();
            before.extend(pivots);
            let shift = case.below(size);
            before.extend((0..size).map(|row| ((row + shift) % size) as f32));
        }
        Self { batch, size, buffer: case.upload(&before), before }
    }

    pub(super) fn factors(&self) -> Factors<'_> {
        Factors { buffer: &self.buffer, batch: self.batch, size: self.size }
    }

    pub(super) fn item<'a>(&self, all: &'a [f32], item: usize) -> (&'a [f32], Vec<usize>, Vec<usize>) {
        let size = self.size;
        let own = &all[item * (size + 2) * size..][..(size + 2) * size];
        let rows = |row: usize| own[row * size..][..size].iter().map(|place| *place as usize).collect();
        (&own[..size * size], rows(size), rows(size + 1))
    }

    /// Repeats the largest entry of a column in the last row, negated, so that the choice of its pivot is a tie.
    fn tied(mut self, case: &Case<'_>, col: usize) -> Self {
        let size = self.size;
        for item in self.before.chunks_exact_mut((size + 2) * size) {
            let pivot = reference::lu_panel(&mut widened(&item[..size * size]), size, (col, col + 1))[0];
            item[(size - 1) * size + col] = -item[pivot * size + col];
        }
        self.buffer = case.upload(&self.before);
        self
    }

    /// Makes L tame, as factors with pivots are, so that substitution does not overflow: at most 1 below a diagonal of
    /// at least 1.
    pub(super) fn tamed(mut self, case: &Case<'_>) -> Self {
        let size = self.size;
        for item in self.before.chunks_exact_mut((size + 2) * size) {
            for row in 0..size {
                for col in 0..size {
                    let entry = &mut item[row * size + col];
                    *entry = if row == col { 1.0 + entry.abs() } else { entry.clamp(-1.0, 1.0) / size as f32 };
                }
            }
        }
        self.buffer = case.upload(&self.before);
        self
    }
}

fn size_of(case: &Case<'_>) -> usize {
    if case.shape.cols > 1000 { case.shape.cols } else { case.shape.cols.min(130) }
}

/// Columns of a panel: all of a small matrix, else some of its first or in its midst.
fn columns_of(case: &Case<'_>) -> Range<usize> {
    let size = size_of(case);
    // Columns are left of and right of a panel in every set-up.
    let width = ops::lu_panel_width(case.gpu, size).min(if size > 100 { 40 } else { size });
    let first = if size % 3 == 1 { size / 3 } else { 0 };
    first..size.min(first + width)
}

/// Two roundings for each column, and up to three of a quotient.
pub fn lu_panel(case: &mut Case<'_>) {
    let columns = columns_of(case);
    let packed = Packed::draw(case, &(0..0)).tied(case, columns.start);
    let (size, first, end) = (packed.size, columns.start, columns.end);
    let mask = case.mask(0);
    let (found, ()) =
        case.run(&mask, &packed.buffer, |recorder| ops::lu_panel(recorder, packed.factors(), columns.clone()));
    for item in 0..packed.batch {
        let ((before, _, start), (after, pivots, order)) =
            (packed.item(&packed.before, item), packed.item(&found, item));
        let mut permuted: Vec<usize> = (0..size).collect();
        (first..end).for_each(|step| permuted.swap(step, pivots[step]));
        let start: Vec<usize> = if first == 0 { (0..size).collect() } else { start };
        case.expect(permuted.iter().map(|row| start[*row]).eq(order), || "the permutation is not the pivots'".into());
        let largest = reference::lu_panel(&mut widened(before), size, (first, first + 1));
        case.expect(pivots[first..].starts_with(&largest), || format!("{largest:?} first, not {pivots:?}"));
        let height = size - first;
        let (mut lower, mut upper) = (vec![0.0; height * (end - first)], vec![0.0; (end - first) * (end - first)]);
        let mut wanted = Vec::new();
        for row in first..size {
            for col in first..end {
                let entry = f64::from(after[row * size + col]);
                let place = (row - first) * (end - first) + col - first;
                if col < row {
                    case.expect(entry.abs() <= 1.0 + 1e-6, || format!("a multiple of {entry}"));
                    lower[place] = entry;
                } else {
                    upper[place] = entry;
                }
                if row == col {
                    lower[place] = 1.0;
                }
                wanted.push(f64::from(before[permuted[row] * size + col]));
            }
        }
        let sizes = (height, end - first, end - first);
        let product = |lower: &[f64], upper: &[f64]| reference::matmul(sizes, (lower, false), (upper, false));
        let bounds = Bound::of(end - first + 4, 0.0).each(&product(&magnitudes(&lower), &magnitudes(&upper)));
        case.compare(&wanted, &product(&lower, &upper), &bounds);
        let is_beside = |place: &usize| place / size < first || place % size < first || place % size >= end;
        let beside = (0..size * size).filter(is_beside);
        case.expect(beside.clone().all(|place| before[place].to_bits() == after[place].to_bits()), || {
            "an entry beside the panel was written".into()
        });
    }
}

/// Two roundings for each column; rows that are exchanged alone keep their bits.
pub fn lu_rows(case: &mut Case<'_>) {
    let columns = columns_of(case);
    let packed = Packed::draw(case, &columns).tamed(case);
    let (size, first, end) = (packed.size, columns.start, columns.end);
    let mask = case.mask(0);
    let (found, ()) =
        case.run(&mask, &packed.buffer, |recorder| ops::lu_rows(recorder, packed.factors(), columns.clone()));
    for item in 0..packed.batch {
        let ((before, pivots, _), (after, ..)) = (packed.item(&packed.before, item), packed.item(&found, item));
        let mut exchanged = widened(before);
        for (step, pivot) in (first..end).zip(&pivots[first..end]) {
            let beside = (0..first).chain(end..size);
            beside.for_each(|col| exchanged.swap(step * size + col, pivot * size + col));
        }
        let mut solved = widened(before);
        reference::lu_rows(&mut solved, size, (first, end), &pivots[first..end]);
        let (after, bound) = (widened(after), Bound::of(end - first + 1, 0.0));
        let (mut found, mut twin, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..size {
            for col in 0..size {
                let place = row * size + col;
                if !(first..end).contains(&row) || col < end {
                    found.push(after[place]);
                    twin.push(solved[place]);
                    bounds.push(0.0);
                    continue;
                }
                let terms = |upper: &[f64]| -> Vec<f64> {
                    let product = |step: usize| f64::from(before[row * size + step]) * upper[step * size + col];
                    (first..row).map(product).chain([upper[place]]).collect()
                };
                found.push(exchanged[place]);
                twin.push(terms(&after).iter().sum());
                bounds.push(bound.at(magnitudes(&terms(&after)).iter().sum()));
                let apart = (after[place] - solved[place]).abs();
                // Multiples of at most 1 / size make rows of |L⁻¹| |L| of at most e².
                let largest = (first..=row).map(|step| solved[step * size + col].abs()).fold(0.0, f64::max);
                case.expect(apart <= 8.0 * bound.at(2.0 * largest), || format!("{place} is off by {apart:e}"));
            }
        }
        case.compare(&found, &twin, &bounds);
    }
}

/// A chain of products, or runs of 16 and a tree on the host, and the difference.
pub fn lu_update(case: &mut Case<'_>) {
    let columns = columns_of(case);
    let columns = columns.start..(columns.start + columns.len().div_ceil(2)).max(1);
    let packed = Packed::draw(case, &columns);
    let (size, first, end) = (packed.size, columns.start, columns.end);
    let mask = case.mask(0);
    let (found, ()) =
        case.run(&mask, &packed.buffer, |recorder| ops::lu_update(recorder, packed.factors(), columns.clone()));
    for item in 0..packed.batch {
        let ((before, ..), (after, ..)) = (packed.item(&packed.before, item), packed.item(&found, item));
        let mut twin = widened(before);
        reference::lu_update(&mut twin, size, (first, end));
        let mut sizes: Vec<f64> = magnitudes(&widened(before));
        sizes.chunks_exact_mut(size).take(end).for_each(|row| row[end..].iter_mut().for_each(|entry| *entry = -*entry));
        reference::lu_update(&mut sizes, size, (first, end));
        let inside = |place: usize| place / size >= end && place % size >= end;
        let bound = Bound::of(end - first + 1, 0.0);
        let bounds: Vec<f64> =
            (0..size * size).map(|place| if inside(place) { bound.at(sizes[place]) } else { 0.0 }).collect();
        case.compare(&widened(after), &twin, &bounds);
    }
}
