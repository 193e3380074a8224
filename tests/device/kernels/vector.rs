//! Kernels over vectors: `batch · columns` of them, of `cols` elements.

use opnorm::Result;
use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::ops::{ArithmeticResults, Multiples, Rows, Segmented, Segments};
use opnorm::low_level::{ops, reference};

use super::bounds::{Bound, Cut, flushed, gamma, tree_roundings};
use super::case::{Case, Mask, UNTOUCHED, sum_segments};
use super::values::{Values, magnitudes};

/// A rounding for each operation, two for an unfused product and sum, 2.5 and 6.5 units for a quotient and a root in
/// range, and the lanes in order.
pub fn arithmetic(case: &mut Case<'_>) {
    let (count, lanes) = (case.shape.cols, case.lanes());
    let triples: Vec<[f32; 3]> = (0..count).map(|_| [0; 3].map(|_| case.draw(1)[0])).collect();
    let bits: Vec<[u32; 4]> = triples.iter().map(|[a, b, c]| [a.to_bits(), b.to_bits(), c.to_bits(), 7]).collect();
    let operands = case.upload(&bits);
    let output: Buffer<ArithmeticResults> = Buffer::zeros(case.gpu, "test", count).unwrap();
    let lane_sums: Buffer<u32> = Buffer::zeros(case.gpu, "test", count.div_ceil(lanes)).unwrap();
    let mask = case.mask(0);
    let (found, ()) = case.run(&mask, &output, |recorder| ops::arithmetic(recorder, &operands, &output, &lane_sums));
    for (triple, found) in triples.iter().zip(found) {
        let [a, b, c] = triple.map(f64::from);
        let twin = reference::arithmetic([a, b, c]);
        let ordinary = |value: f64| (2f64.powi(-120)..2f64.powi(120)).contains(&value.abs());
        let lost = |operations| flushed(operations, &[&[a], &[b], &[c]]);
        let mut check = |found: u32, twin: f64, roundings: usize, magnitude: f64, lost: f64| {
            let bound = Bound::of(roundings, lost).at(magnitude);
            case.compare(&[f64::from(f32::from_bits(found))], &[twin], &[bound]);
        };
        check(found.sum, twin.sum, 1, twin.sum.abs(), lost(3));
        check(found.difference, twin.difference, 1, twin.difference.abs(), lost(3));
        check(found.product, twin.product, 1, twin.product.abs(), lost(3));
        check(found.fused, twin.fused, 2, (a * b).abs() + c.abs(), lost(6));
        if ordinary(a) && ordinary(b) && ordinary(twin.quotient) {
            check(found.quotient, twin.quotient, 3, twin.quotient.abs(), 0.0);
        }
        if ordinary(a) {
            check(found.root, twin.root, 7, twin.root, 0.0);
        }
        case.expect(found.is_finite == 1, || format!("{a:e} is not taken for finite"));
    }
    let found: Vec<f32> = case.read(&lane_sums).into_iter().map(f32::from_bits).collect();
    let firsts: Vec<f64> = triples.iter().map(|triple| f64::from(triple[0])).collect();
    for (group, found) in firsts.chunks(lanes).zip(found) {
        let bound = Bound::of(lanes - 1, flushed(3 * lanes, &[group])).at(magnitudes(group).iter().sum());
        case.compare(&[found], &[group.iter().sum()], &[bound]);
    }
}

/// Runs a reduction to a number for each vector, and returns the sums over its segments; segments of inactive vectors
/// must stay unchanged.
fn reduce(
    case: &mut Case<'_>,
    mask: &Mask,
    cut: Cut,
    operation: impl FnOnce(&mut Recorder, &Buffer<f32>) -> Result<Segments>,
) -> Vec<f64> {
    let vectors = mask.active.len();
    let output = case.output(cut.count * vectors);
    let (found, segments) = case.run(mask, &output, |recorder| operation(recorder, &output));
    assert_eq!(segments.count, cut.count);
    for segment in found.chunks_exact(vectors) {
        for (value, active) in segment.iter().zip(&mask.active) {
            if !active {
                case.expect_untouched(&[*value]);
            }
        }
    }
    sum_segments(&found, segments.count, vectors)
}

fn active(mask: &Mask) -> impl Iterator<Item = usize> + '_ {
    mask.active.iter().enumerate().filter_map(|(vector, active)| active.then_some(vector))
}

/// A lane's runs and their tree over a segment, then the lanes in order; the host adds the segments.
pub fn dot(case: &mut Case<'_>) {
    let (vectors, length) = (case.shape.vectors(), case.shape.cols);
    let mask = case.mask(vectors);
    let [left, right] = [0, 1].map(|_| case.draw(vectors * length));
    let left = case.vectors(left, length, &mask.active);
    let right = case.vectors(right, length, &mask.active);
    let cut = Cut::for_group(length, case.lanes());
    let found = reduce(case, &mask, cut, |recorder, output| {
        ops::dot(recorder, Rows { vectors, length }, &left.buffer, &right.buffer, output)
    });
    for vector in active(&mask) {
        let (left, right) = (left.vector(vector), right.vector(vector));
        let bound = Bound::of(cut.tree_group_roundings(case.lanes()), flushed(4 * length, &[left, right]));
        let bound = bound.at(reference::dot(&magnitudes(left), &magnitudes(right)));
        case.compare(&[found[vector]], &[reference::dot(left, right)], &[bound]);
    }
}

/// As [`dot`], and the factor's rounding twice.
pub fn sum_squares(case: &mut Case<'_>) {
    let (vectors, length) = (case.shape.vectors(), case.shape.cols);
    let mask = case.mask(vectors);
    let (input, factors) = (case.draw(vectors * length), case.draw_as(Values::Ordinary, vectors));
    let input = case.vectors(input, length, &mask.active);
    let factors = case.vectors(factors, 1, &mask.active);
    let cut = Cut::for_group(length, case.lanes());
    let found = reduce(case, &mask, cut, |recorder, output| {
        ops::sum_squares(recorder, Rows { vectors, length }, &input.buffer, &factors.buffer, output)
    });
    for vector in active(&mask) {
        let (input, factor) = (input.vector(vector), factors.values[vector]);
        let twin = reference::sum_squares(input, factor);
        let flushed = flushed(6 * length, &[input, input, &[factor], &[factor]]);
        let bound = Bound::of(cut.tree_group_roundings(case.lanes()) + 2, flushed);
        case.compare(&[found[vector]], &[twin], &[bound.at(twin)]);
    }
}

/// With r the exact difference and d = |factor · product| + |sigma · direction|, the computed difference is off by at
/// most e = gamma(2) d: a product and the difference. Its square is off by 2 |r| e + e², and the sum of the squares of
/// magnitudes up to |r| + e rounds as that of [`dot`].
pub fn residual_squares(case: &mut Case<'_>) {
    let (vectors, length) = (case.shape.vectors(), case.shape.cols);
    let mask = case.mask(vectors);
    let [product, direction] = [0, 1].map(|_| case.draw(vectors * length));
    let [factors, sigmas] = [0, 1].map(|_| case.draw_as(Values::Ordinary, vectors));
    let product = case.vectors(product, length, &mask.active);
    let direction = case.vectors(direction, length, &mask.active);
    let factors = case.vectors(factors, 1, &mask.active);
    let sigmas = case.vectors(sigmas, 1, &mask.active);
    let cut = Cut::for_group(length, case.lanes());
    let found = reduce(case, &mask, cut, |recorder, output| {
        let buffers = (&product.buffer, &direction.buffer, &factors.buffer, &sigmas.buffer);
        ops::residual_squares(recorder, Rows { vectors, length }, buffers.0, buffers.1, buffers.2, buffers.3, output)
    });
    for vector in active(&mask) {
        let (product, direction) = (product.vector(vector), direction.vector(vector));
        let (factor, sigma) = (factors.values[vector], sigmas.values[vector]);
        let (mut squares, mut differences) = (0.0, 0.0);
        for (product, direction) in product.iter().zip(direction) {
            let difference = (factor * product - sigma * direction).abs();
            let error = gamma(2.0) * ((factor * product).abs() + (sigma * direction).abs());
            squares += (difference + error).powi(2);
            differences += 2.0 * difference * error + error * error;
        }
        let flushed = flushed(8 * length, &[product, direction, product, direction, &[factor], &[sigma]]);
        let bound = Bound::of(cut.tree_group_roundings(case.lanes()), flushed).at(squares) + differences;
        let twin = reference::residual_squares(product, direction, factor, sigma);
        case.compare(&[found[vector]], &[twin], &[bound]);
    }
}

/// Exact: magnitudes and indices, with NaN and infinities planted.
pub fn max_abs(case: &mut Case<'_>) {
    let (vectors, length) = (case.shape.vectors(), case.shape.cols);
    let mut values = case.draw(vectors * length);
    for vector in 0..vectors {
        for _ in 0..vector % 3 {
            let index = vector * length + case.below(length);
            values[index] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN][case.below(4)];
        }
    }
    let input = case.vectors(values, length, &[]);
    let cut = Cut::for_lane(length);
    let output: Buffer<[u32; 2]> = case.upload(&vec![[7, 7]; cut.count * vectors]);
    let mask = case.mask(0);
    let (found, segments) =
        case.run(&mask, &output, |recorder| ops::max_abs(recorder, Rows { vectors, length }, &input.buffer, &output));
    assert_eq!(segments.count, cut.count);
    for vector in 0..vectors {
        let screens = || found.iter().skip(vector).step_by(vectors);
        let largest = screens().map(|[bits, _]| f32::from_bits(*bits)).fold(0.0, f32::max);
        let first = screens().map(|[_, index]| *index).min().filter(|index| *index != u32::MAX);
        let twin = reference::max_abs(input.vector(vector));
        case.expect_exact(&[largest], &[twin.largest]);
        case.expect(first.map(|index| index as usize) == twin.non_finite, || format!("{first:?} found, not {twin:?}"));
    }
}

/// `sign · a`, its product with the input, and the sum.
pub fn axpby(case: &mut Case<'_>) {
    let (vectors, length) = (case.shape.vectors(), case.shape.cols);
    let mask = case.mask(vectors);
    let (input, output) = (case.draw(vectors * length), case.draw(vectors * length));
    let first_a = case.below(5);
    let sign = [1.0, -1.0, 0.3][case.below(3)];
    let (a, b) = (case.draw(first_a + vectors), case.draw(vectors));
    let input = case.vectors(input, length, &mask.active);
    let (a, b) = (case.vectors(a, 1, &[]), case.vectors(b, 1, &mask.active));
    let mut start = output;
    for (vector, values) in start.chunks_exact_mut(length).enumerate() {
        if !mask.active[vector] {
            values.fill(UNTOUCHED);
        }
    }
    let start = case.vectors(start, length, &[]);
    let (found, ()) = case.run(&mask, &start.buffer, |recorder| {
        let coefficients = Multiples { sign, values: &a.buffer, first: first_a };
        ops::axpby(recorder, Rows { vectors, length }, coefficients, &input.buffer, &b.buffer, &start.buffer)
    });
    for (vector, found) in found.chunks_exact(length).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            continue;
        }
        let (x, y) = (input.vector(vector), start.vector(vector));
        let (a, b, sign) = (a.values[first_a + vector], b.values[vector], f64::from(sign));
        let bound = Bound::of(3, flushed(8, &[&[a, b], x, y]));
        let size = reference::axpby(sign.abs(), a.abs(), &magnitudes(x), b.abs(), &magnitudes(y));
        case.compare(found, &reference::axpby(sign, a, x, b, y), &bound.each(&size));
    }
}

/// One rounding.
pub fn scale(case: &mut Case<'_>) {
    let (vectors, length) = (case.shape.vectors(), case.shape.cols);
    let mask = case.mask(vectors);
    let (input, factors) = (case.draw(vectors * length), case.draw(vectors));
    let input = case.vectors(input, length, &mask.active);
    let factors = case.vectors(factors, 1, &mask.active);
    let output = case.output(vectors * length);
    let (found, ()) = case.run(&mask, &output, |recorder| {
        ops::scale(recorder, Rows { vectors, length }, &factors.buffer, &input.buffer, &output)
    });
    for (vector, found) in found.chunks_exact(length).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            continue;
        }
        let (input, factor) = (input.vector(vector), factors.values[vector]);
        let twin = reference::scale(factor, input);
        let bound = Bound::of(1, flushed(4, &[input, &[factor]]));
        case.compare(found, &twin, &bound.each(&magnitudes(&twin)));
    }
}

/// Runs of 16 segments and a tree of their sums.
pub fn sum_partials(case: &mut Case<'_>) {
    let (segments, vectors, length) = (case.shape.rows, case.shape.vectors(), case.shape.cols);
    let mask = case.mask(vectors);
    let everywhere: Vec<bool> = (0..segments * vectors).map(|index| mask.active[index % vectors]).collect();
    let partials = case.draw(segments * vectors * length);
    let partials = case.vectors(partials, length, &everywhere);
    let output = case.output(vectors * length);
    let (found, ()) = case.run(&mask, &output, |recorder| {
        ops::sum_partials(
            recorder,
            Segmented { buffer: &partials.buffer, count: segments },
            Rows { vectors, length },
            &output,
        )
    });
    let twin = reference::sum_partials(&partials.values, vectors * length);
    let size = reference::sum_partials(&magnitudes(&partials.values), vectors * length);
    let bounds = Bound::of(tree_roundings(segments), flushed(3 * segments, &[&partials.values])).each(&size);
    for (vector, found) in found.chunks_exact(length).enumerate() {
        let range = vector * length..(vector + 1) * length;
        match mask.active[vector] {
            true => case.compare(found, &twin[range.clone()], &bounds[range]),
            false => case.expect_untouched(found),
        }
    }
}
