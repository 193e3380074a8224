//! Kernels that read or write a matrix.

use bytemuck::cast_slice;
use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::{ops, reference};
use opnorm::tensor::Tensor;
use opnorm::{Matrix, Result};

use super::bounds::{Bound, Cut, flushed};
use super::case::{Case, Dense, Vectors, sum_segments};
use super::padding::{fill_untouched, padded, read_padded};
use super::shapes::Shape;
use super::values::{Values, magnitudes, widened};

/// `matrix · input`: a lane's chain over its quads of a segment, 3 sums for the four parts of a quad, the lanes in
/// order, then the segments.
pub fn matvec(case: &mut Case<'_>) {
    let dense = case.dense();
    let quads = case.shape.cols.div_ceil(4);
    let cut = Cut::for_group(quads, case.lanes());
    let roundings = cut.group_roundings(case.lanes()) + 3 + cut.count - 1;
    product(case, &dense, (case.shape.cols, case.shape.rows), roundings, ops::matvec, |matrix, input| {
        reference::matvec(matrix, input)
    });
}

/// `matrixᵀ · input`: a lane's chain over the rows of a segment, then the segments of all panels.
pub fn matvec_adjoint(case: &mut Case<'_>) {
    let dense = case.dense();
    let (length, count) = row_cut(case, &dense.matrix);
    let cols = case.shape.cols;
    product(case, &dense, (case.shape.rows, cols), length + count - 1, ops::matvec_adjoint, |matrix, input| {
        reference::matvec_adjoint(matrix, cols, input)
    });
}

/// As `matvec`, for two to nine columns at once.
pub fn matvec_vectors(case: &mut Case<'_>) {
    case.shape.columns = several_columns(case);
    let dense = case.dense();
    let cols = case.shape.cols;
    let cut = Cut::for_group(cols.div_ceil(4), case.lanes());
    let roundings = cut.group_roundings(case.lanes()) + 3 + cut.count - 1;
    product(case, &dense, (cols, case.shape.rows), roundings, ops::matvec_vectors, |matrix, input| {
        reference::matvec_vectors(matrix, cols, input)
    });
}

/// As `matvec_adjoint`, for two to nine columns at once.
pub fn matvec_adjoint_vectors(case: &mut Case<'_>) {
    case.shape.columns = several_columns(case);
    let dense = case.dense();
    let (length, count) = row_cut(case, &dense.matrix);
    let cols = case.shape.cols;
    let sides = (case.shape.rows, cols);
    product(case, &dense, sides, length + count - 1, ops::matvec_adjoint_vectors, |matrix, input| {
        reference::matvec_adjoint_vectors(matrix, cols, input)
    });
}

/// Two to nine columns, within the limit of a small binding.
fn several_columns(case: &mut Case<'_>) -> usize {
    if case.gpu.capabilities().binding_bytes > 1 << 20 { 2 + case.below(8) } else { 2 }
}

type Product = fn(&mut Recorder, &Matrix, &Tensor, &Tensor) -> Result<()>;

fn product(
    case: &mut Case<'_>,
    dense: &Dense,
    (from, to): (usize, usize),
    roundings: usize,
    operation: Product,
    twin: impl Fn(&[f64], &[f64]) -> Vec<f64>,
) {
    let Shape { batch, columns, inputs, .. } = case.shape;
    let mask = case.mask(batch * columns);
    // An input is read wherever an active item shares that input.
    let read = |input| (0..batch / inputs).any(|turn| mask.active[turn * inputs * columns + input]);
    let read: Vec<bool> = (0..inputs * columns).map(read).collect();
    let values = case.draw(inputs * columns * from);
    let input = case.vectors(values, from, &read);
    let output = case.output(batch * columns * to);
    let tensor = Tensor::from_buffer(output.clone(), &[batch, columns, to]).unwrap();
    let (found, ()) = case.run(&mask, &output, |recorder| {
        operation(recorder, &dense.matrix, &input.tensor(&[inputs, columns, from]), &tensor)
    });
    for (vector, found) in found.chunks_exact(to).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            continue;
        }
        let item = vector / columns;
        let (matrix, x) = (dense.item(item), input.vector(item % inputs * columns + vector % columns));
        let bound = Bound::of(roundings, flushed(4 * from + 4 * roundings, &[matrix, x]));
        let bounds = bound.each(&twin(&magnitudes(matrix), &magnitudes(x)));
        case.compare(found, &twin(matrix, x), &bounds);
    }
}

/// The longest segment of rows, and how many segments all panels of an item have.
pub fn row_cut(case: &Case<'_>, matrix: &Matrix) -> (usize, usize) {
    let least = case.gpu.capabilities().profile.adjoint_rows as usize;
    let length = Cut::for_rows(matrix.rows(), least).length;
    let panels = matrix.panels().iter().filter(|panel| panel.items().contains(&0));
    let count = panels.map(|panel| panel.rows().len().div_ceil(length)).sum();
    let longest = matrix.panels().iter().map(|panel| panel.rows().len().min(length)).max();
    (longest.unwrap(), count)
}

/// `|matrix| · 1`: a lane's sum over the quads of a segment, and 3 sums for the four parts; the host adds the segments.
pub fn row_abs_sums(case: &mut Case<'_>) {
    let Shape { batch, rows, cols, .. } = case.shape;
    let dense = case.dense();
    let cut = Cut::for_lane(cols.div_ceil(4));
    let output = case.output(cut.count * batch * rows);
    let mask = case.mask(0);
    let (found, segments) = case.run(&mask, &output, |recorder| ops::row_abs_sums(recorder, &dense.matrix, &output));
    let found = sum_segments(&found, segments.count, batch * rows);
    let twin = reference::row_abs_sums(&dense.entries, cols);
    let bound = Bound::of(cut.length - 1 + 3, flushed(2 * cols, &[&dense.entries]));
    case.compare(&found, &twin, &bound.each(&twin));
}

/// `|matrix|ᵀ · 1`: a lane's sum over the rows of a segment; the host adds the segments.
pub fn column_abs_sums(case: &mut Case<'_>) {
    let Shape { batch, rows, cols, .. } = case.shape;
    let dense = case.dense();
    let (length, count) = row_cut(case, &dense.matrix);
    let output = case.output(count * batch * cols);
    let mask = case.mask(0);
    let (found, segments) = case.run(&mask, &output, |recorder| ops::column_abs_sums(recorder, &dense.matrix, &output));
    let found = sum_segments(&found, segments, batch * cols);
    for (item, found) in found.chunks_exact(cols).enumerate() {
        let matrix = dense.item(item);
        let twin = reference::column_abs_sums(matrix, cols);
        let bound = Bound::of(length - 1, flushed(2 * rows, &[matrix]));
        case.compare(found, &twin, &bound.each(&twin));
    }
}

/// The squared Frobenius norm: a lane's chain over the quads of a segment, and 3 sums for the four parts; the host adds
/// segments and panels.
pub fn square_sums(case: &mut Case<'_>) {
    let dense = case.dense();
    let quads = case.shape.cols.div_ceil(4);
    let mut found = vec![0f64; case.shape.batch];
    let mut longest = 0;
    for panel in dense.matrix.panels() {
        let cut = Cut::for_lane(panel.rows().len() * quads);
        longest = longest.max(cut.length);
        let output = case.output(panel.items().len() * cut.count.next_multiple_of(case.lanes()));
        let mask = case.mask(0);
        let (sums, segments) = case.run(&mask, &output, |recorder| {
            ops::square_sums(recorder, panel, ops::RowLayout { storage: dense.matrix.storage(), quads }, &output)
        });
        for (item, sums) in panel.items().zip(sums.chunks_exact(segments.count)) {
            found[item] += widened(sums).iter().sum::<f64>();
        }
    }
    for (item, found) in found.iter().enumerate() {
        let matrix = dense.item(item);
        let twin = reference::square_sums(matrix);
        let bound = Bound::of(longest + 3, flushed(4 * matrix.len(), &[matrix, matrix]));
        case.compare(&[*found], &[twin], &[bound.at(twin)]);
    }
}

/// Exact: magnitudes and indices, with NaN and infinities planted.
pub fn screen(case: &mut Case<'_>) {
    let Shape { batch, rows, cols, .. } = case.shape;
    let mut entries = case.entries();
    for item in 0..batch {
        for _ in 0..item % 3 {
            let index = item * rows * cols + case.below(rows * cols);
            entries.set(index, [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][case.below(3)]);
        }
    }
    let dense = case.upload_matrix(&entries);
    let quads = cols.div_ceil(4);
    let mut found = vec![(0f64, None); batch];
    for panel in dense.matrix.panels() {
        let count = Cut::for_lane(panel.rows().len() * quads).count.next_multiple_of(case.lanes());
        let output: Buffer<[u32; 2]> = case.upload(&vec![[7, 7]; panel.items().len() * count]);
        let mask = case.mask(0);
        let (screens, segments) = case.run(&mask, &output, |recorder| {
            ops::screen_segments(recorder, panel, ops::RowLayout { storage: dense.matrix.storage(), quads }, &output)
        });
        for (item, screens) in panel.items().zip(screens.chunks_exact(segments.count)) {
            let (largest, first) = &mut found[item];
            for [bits, index] in screens {
                *largest = f64::max(*largest, f64::from(f32::from_bits(*bits)));
                let (row, col) = (*index as usize / (quads * 4), *index as usize % (quads * 4));
                let place = (panel.rows().start + row) * cols + col;
                *first = [*first, (*index != u32::MAX).then_some(place)].into_iter().flatten().min();
            }
        }
    }
    for (item, (largest, non_finite)) in found.into_iter().enumerate() {
        let twin = reference::screen(dense.item(item));
        case.expect_exact(&[largest as f32], &[twin.largest]);
        case.expect(non_finite == twin.non_finite, || format!("item {item}: {non_finite:?} found, not {twin:?}"));
        let position = dense.matrix.non_finite(item).map(|position| position.row * cols + position.col);
        case.expect(position == twin.non_finite, || format!("item {item}: {position:?} at upload, not {twin:?}"));
    }
}

/// Two roundings; for powers of two exact, or to the nearest subnormal number, for any flushing of the adapter.
pub fn decode(case: &mut Case<'_>) {
    let Shape { batch, rows, cols, .. } = case.shape;
    let dense = case.dense();
    for most in [Some(3), Some(74), Some(126), None] {
        let factors: Vec<[f32; 2]> = (0..batch)
            .map(|_| match most {
                Some(most) => [case.power(most), case.power(most)],
                None => [case.draw_as(Values::Ordinary, 1)[0], 1.5],
            })
            .collect();
        let output = Matrix::zeros(case.gpu, batch, rows, cols).unwrap();
        fill_untouched(&output);
        let uploaded = case.upload(&factors);
        let mask = case.mask(0);
        case.run(&mask, &uploaded, |recorder| ops::decode(recorder, &dense.matrix, &uploaded, &output));
        let found = read_padded(case, &output);
        for (item, found) in found.chunks_exact(rows * cols).enumerate() {
            let [first, second] = factors[item].map(f64::from);
            let twin = reference::decode(dense.item(item), first * second);
            if most.is_some() {
                case.expect_exact(found, &twin);
            } else {
                let flushed = flushed(4, &[dense.item(item), &[first], &[second]]);
                case.compare(found, &twin, &Bound::of(2, flushed).each(&magnitudes(&twin)));
            }
        }
    }
}

/// Exact: the bits are moved.
pub fn pack(case: &mut Case<'_>) {
    let Shape { batch, rows, cols, .. } = case.shape;
    let output = Matrix::zeros(case.gpu, batch, rows, cols).unwrap();
    fill_untouched(&output);
    let mut values = case.draw(batch * rows * cols);
    let place = case.below(values.len());
    values[place] = [f32::NAN, f32::INFINITY, f32::from_bits(1)][case.below(3)];
    for panel in output.panels() {
        let first = (panel.items().start * rows + panel.rows().start) * cols;
        let len = panel.items().len() * panel.rows().len() * cols;
        let input: Buffer<u32> = case.upload(cast_slice(&values[first..first + len]));
        let mask = case.mask(0);
        case.run(&mask, &input, |recorder| ops::pack(recorder, &input, panel, cols));
    }
    let twin = reference::pack(&widened(&values), cols);
    match padded(case, &output) {
        Some(found) => case.expect_exact(&found, &twin),
        None => {
            let found = output.read().unwrap();
            case.expect_exact(&found, &widened(&values));
        }
    }
}

/// `coefficient · left` is one rounding, and `· right` another.
pub fn outer(case: &mut Case<'_>) {
    let Shape { batch, rows, cols, inputs, columns } = case.shape;
    let pairs = inputs * columns;
    let (coefficients, left, right) = (case.draw(batch), case.draw(pairs * rows), case.draw(pairs * cols));
    let output = Matrix::zeros(case.gpu, batch, rows, cols).unwrap();
    fill_untouched(&output);
    let left = case.vectors(left, rows, &[]);
    let right = case.vectors(right, cols, &[]);
    let uploaded = case.upload(&coefficients);
    let mask = case.mask(0);
    case.run(&mask, &uploaded, |recorder| {
        let (left, right) = (left.tensor(&[inputs, columns, rows]), right.tensor(&[inputs, columns, cols]));
        ops::outer(recorder, &uploaded, &left, &right, &output)
    });
    let found = read_padded(case, &output);
    for (item, found) in found.chunks_exact(rows * cols).enumerate() {
        let first = item % inputs * columns;
        let of_item = |vectors: &Vectors| -> Vec<Vec<f64>> {
            (first..first + columns).map(|vector| vectors.vector(vector).to_vec()).collect()
        };
        let (left, right) = (of_item(&left), of_item(&right));
        let twin = |left: &[Vec<f64>], right: &[Vec<f64>], coefficient: f64| {
            let left: Vec<&[f64]> = left.iter().map(Vec::as_slice).collect();
            let right: Vec<&[f64]> = right.iter().map(Vec::as_slice).collect();
            reference::outer(coefficient, &left, &right)
        };
        let sizes = |vectors: &[Vec<f64>]| vectors.iter().map(|vector| magnitudes(vector)).collect::<Vec<_>>();
        let coefficient = f64::from(coefficients[item]);
        let bound = Bound::of(columns + 1, flushed(6 * columns, &[&[coefficient], &left.concat(), &right.concat()]));
        let bounds = bound.each(&twin(&sizes(&left), &sizes(&right), coefficient.abs()));
        case.compare(found, &twin(&left, &right, coefficient), &bounds);
    }
}
