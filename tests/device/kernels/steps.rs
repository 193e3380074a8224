//! Kernels of a step of Lanczos: both products, the remainder, and the norms.

use opnorm::low_level::ops::{Multiples, NormaliserState, Rows, Segmented, Shift, StepNorms, StopKind, Sums};
use opnorm::low_level::{ops, reference};
use opnorm::tensor::Tensor;

use super::bounds::{Bound, Cut, flushed, tree_roundings};
use super::case::{Case, UNTOUCHED, sum_segments};
use super::dense::row_cut;
use super::krylov::{column_of, squares};
use super::shapes::Shape;
use super::values::{magnitudes, widened};

/// t has the roundings of `matvec` in one segment, and 3 more; the product back a chain over the rows of a segment, on
/// top of those of t; the square the sum of four parts and a chain over blocks of 4 rows. The host adds the segments.
pub fn matvec_both(case: &mut Case<'_>) {
    let Shape { batch, rows, cols, columns, .. } = case.shape;
    let (dense, vectors) = (case.dense(), batch * columns);
    let Some(segments) = ops::matvec_both_segments(case.gpu, &dense.matrix) else { return };
    let (length, count) = row_cut(case, &dense.matrix);
    assert_eq!(segments, count);
    let mask = case.mask(vectors);
    let everywhere: Vec<bool> = (0..vectors).map(|vector| mask.active[vector]).collect();
    let (input, shifts) = (case.draw(vectors * cols), case.draw(vectors * rows));
    let (input, shifts) = (case.vectors(input, cols, &everywhere), case.vectors(shifts, rows, &everywhere));
    let (first, sign) = (case.below(5), [1.0, -1.0, 0.3][case.below(3)]);
    let scale: Vec<f32> = (0..vectors).map(|_| case.power(3)).collect();
    let (scale, a) = (case.vectors(scale, 1, &everywhere), case.draw(first + vectors));
    let a = case.vectors(a, 1, &[]);
    let first_back = (segments * vectors).next_multiple_of(64);
    let sums = case.output(first_back + segments * vectors * cols);
    let output = case.output(vectors * rows);
    let product = Tensor::from_buffer(output.clone(), &[batch, columns, rows]).unwrap();
    let (found, ()) = case.run(&mask, &output, |recorder| {
        let multiples = Multiples { sign, values: &a.buffer, first };
        let shift = Shift { scale: &scale.buffer, multiples, vectors: &shifts.buffer };
        let sums = Sums { buffer: &sums, first_back };
        ops::matvec_both(recorder, &dense.matrix, &input.tensor(&[batch, columns, cols]), shift, &product, sums)
    });
    let sums = case.read(&sums);
    let (squares, backs) = (&sums[..segments * vectors], &sums[first_back..]);
    let roundings = Cut::for_group(cols.div_ceil(4), case.lanes()).group_roundings(case.lanes()) + 6;
    let summed = (sum_segments(squares, segments, vectors), sum_segments(backs, segments, vectors * cols));
    for (vector, found) in found.chunks_exact(rows).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            squares.chunks_exact(vectors).for_each(|part| case.expect_untouched(&part[vector..=vector]));
            let backs = backs.chunks_exact(vectors * cols);
            backs.for_each(|part| case.expect_untouched(&part[vector * cols..(vector + 1) * cols]));
            continue;
        }
        let (matrix, x, shift) = (dense.item(vector / columns), input.vector(vector), shifts.vector(vector));
        let (scale, a) = (scale.values[vector], f64::from(sign) * a.values[first + vector]);
        let sizes = (magnitudes(matrix), magnitudes(x), magnitudes(shift));
        let (product, back) = reference::matvec_both(matrix, x, scale, a, shift);
        let (size, back_size) = reference::matvec_both(&sizes.0, &sizes.1, scale, a.abs(), &sizes.2);
        let lost = flushed(4 * cols + 4 * roundings, &[matrix, x, shift, &[scale, a]]);
        case.compare(found, &product, &Bound::of(roundings, lost).each(&size));
        let lost = flushed((4 * cols + 4 * roundings) * rows, &[matrix, matrix, x, shift, &[scale, a]]);
        let bounds = Bound::of(roundings + length, lost).each(&back_size);
        case.compare(&summed.1[vector * cols..(vector + 1) * cols], &back, &bounds);
        let found = widened(found);
        let square = found.iter().map(|t| t * t).sum::<f64>();
        let bound = Bound::of(length.div_ceil(4) + 3, flushed(4 * rows, &[&found, &found]));
        case.compare(&[summed.0[vector]], &[square], &[bound.at(square)]);
    }
}

/// The norm as `normaliser`; a quotient is 2.5 ulp more, the product and the sum of an `fma` 2, and the product with
/// the quotient 1 more.
pub fn remainder(case: &mut Case<'_>) {
    let (segments, vectors, length) = (case.shape.rows, case.shape.vectors(), case.shape.cols);
    let square_segments = 1 + case.below(5);
    let mask = case.mask(vectors);
    let everywhere: Vec<bool> = (0..segments * vectors).map(|index| mask.active[index % vectors]).collect();
    let positive = |case: &mut Case<'_>| 0.5 + case.below(8) as f32;
    let squares: Vec<f32> = (0..square_segments * vectors).map(|_| positive(case)).collect();
    let scale: Vec<f32> = (0..vectors).map(|_| case.power(3)).collect();
    let (input, partials) = (case.draw(vectors * length), case.draw(segments * vectors * length));
    let input = case.vectors(input, length, &mask.active);
    let partials = case.vectors(partials, length, &everywhere);
    let scale = case.vectors(scale, 1, &mask.active);
    let first_norm = case.below(4);
    let norms = case.output(first_norm + vectors);
    let (uploaded, output) = (case.upload(&squares), case.output(vectors * length));
    let (found, ()) = case.run(&mask, &output, |recorder| {
        let squares = Segmented { buffer: &uploaded, count: square_segments };
        let partials = Segmented { buffer: &partials.buffer, count: segments };
        let (rows, of_input) = (Rows { vectors, length }, (&input.buffer, &scale.buffer));
        ops::remainder(recorder, rows, of_input, (squares, partials), (&norms, first_norm), &output)
    });
    let norms = case.read(&norms);
    case.expect_untouched(&norms[..first_norm]);
    let of_norm = (square_segments - 1) as f64 / 2.0 + 4.5;
    for (vector, found) in found.chunks_exact(length).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            case.expect_untouched(&[norms[first_norm + vector]]);
            continue;
        }
        let (x, scale, squares) = (input.vector(vector), scale.values[vector], column_of(&squares, vectors, vector));
        let of_vector = |segment: usize| partials.vector(segment * vectors + vector).to_vec();
        let parts: Vec<f64> = (0..segments).flat_map(of_vector).collect();
        let (norm, twin) = reference::remainder(x, scale, &squares, &parts);
        case.compare(&[norms[first_norm + vector]], &[norm], &[Bound::halves(of_norm).at(norm)]);
        let minus: Vec<f64> = magnitudes(x).iter().map(|x| -x).collect();
        let (_, size) = reference::remainder(&minus, scale, &squares, &magnitudes(&parts));
        let roundings = of_norm + 4.5 + tree_roundings(segments) as f64;
        let lost = flushed(3 * segments + 12, &[x, &parts, &[scale, norm, 1.0 / norm]]);
        let bounds: Vec<f64> = size.iter().map(|size| Bound::halves(roundings).at(*size) + lost).collect();
        case.compare(found, &twin, &bounds);
    }
}

/// As `normaliser`, for alpha and then for beta. The vectors are the `cols`, the segments the `rows`.
pub fn step_norms(case: &mut Case<'_>) {
    let (segments, vectors) = (case.shape.rows, case.shape.cols);
    let mask = case.mask(vectors);
    let (values, breakdown) = (squares(case, segments, vectors), 1e-5);
    let beta = |vector: usize| {
        let beta = column_of(&values, vectors, vector).iter().sum::<f64>().sqrt() as f32;
        if beta.is_finite() && beta > 0.0 { beta } else { 1.0 }
    };
    // Norms leave no doubt about a breakdown: of one size, or far apart.
    let alphas: Vec<f32> = (0..vectors)
        .map(|vector| [beta(vector), beta(vector), 1e7 * beta(vector), 0.0, f32::NAN, f32::INFINITY][case.below(6)])
        .collect();
    let states: Vec<NormaliserState> = (0..vectors)
        .map(|vector| {
            let largest = [0.0, 0.5 * beta(vector), 100.0 * beta(vector), 1e7 * beta(vector)][case.below(4)];
            NormaliserState { largest, kind: 0, step: 1 }
        })
        .collect();
    let first = case.below(4);
    let before: Vec<f32> = std::iter::repeat_n(UNTOUCHED, first).chain(alphas.iter().copied()).collect();
    let norms = case.upload(&[before, vec![UNTOUCHED; vectors]].concat());
    let (squares, inverses, shifts) = (case.upload(&values), case.output(vectors), case.output(vectors));
    let (active, held) = (case.upload(&mask.bits()), case.upload(&states));
    let memory = StepNorms { vectors, inverses: &inverses, shifts: &shifts, active: &active, states: &held };
    let plain = case.mask(0);
    let (found, ()) = case.run(&plain, &inverses, |recorder| {
        let squares = Segmented { buffer: &squares, count: segments };
        ops::step_norms(recorder, &memory, squares, (&norms, first), (3, breakdown))
    });
    let (norms, shifts) = (case.read(&norms), case.read(&shifts));
    let (active, held) = (case.read(&active), case.read(&held));
    case.expect_untouched(&norms[..first]);
    let half = (segments - 1) as f64 / 2.0;
    for vector in 0..vectors {
        let (beta, bit, state) = (norms[first + vectors + vector], active[vector], held[vector]);
        if !mask.active[vector] {
            case.expect_untouched(&[beta, found[vector], shifts[vector]]);
            case.expect((bit, state) == (0, states[vector]), || format!("vector {vector} was touched"));
            continue;
        }
        let (alpha, largest) = (f64::from(alphas[vector]), f64::from(states[vector].largest));
        let twin = reference::step_norms(alpha, &column_of(&values, vectors, vector), largest, f64::from(breakdown));
        let stop = match twin {
            reference::StepNorms { non_finite: true, .. } => StopKind::NonFinite,
            reference::StepNorms { breakdown: true, .. } => StopKind::Breakdown,
            _ => StopKind::Running,
        };
        let running = stop == StopKind::Running;
        let agrees = state.stop() == stop && (bit != 0) == running && state.step == 6 + twin.last;
        case.expect(agrees, || format!("vector {vector} is {bit}, {state:?}, not {twin:?}"));
        let (norm, quotient) = (Bound::halves(half + 4.5), Bound::halves(half + 7.0));
        if !twin.non_finite {
            case.compare(&[beta], &[twin.beta], &[norm.at(twin.beta)]);
            case.compare(&[state.largest], &[twin.largest], &[norm.at(twin.largest)]);
        }
        case.compare(&[found[vector]], &[twin.inverse], &[quotient.at(twin.inverse)]);
        case.compare(&[shifts[vector]], &[twin.shift], &[quotient.at(twin.shift)]);
    }
}
