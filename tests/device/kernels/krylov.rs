//! Kernels of the iterations: bases, and the small state of each vector.

use opnorm::device::Buffer;
use opnorm::low_level::ops::{
    BasisRef, Normalise, NormaliserState, NormsOfStep, PowerCheck, PowerReport, Rows, Segmented, StopKind,
};
use opnorm::low_level::{ops, reference};

use super::bounds::{Bound, Cut, flushed};
use super::case::{Case, UNTOUCHED, sum_segments};
use super::values::{Values, magnitudes, widened};

/// The gap between slots, which is filled with NaN.
const GAP: usize = 3;

/// The basis of every vector: `rows` slots of `stride` elements.
fn basis(case: &mut Case<'_>, active: &[bool]) -> (Vec<f32>, usize) {
    let (slots, length) = (case.shape.rows, case.shape.cols);
    let stride = active.len() * length + GAP;
    let mut basis = vec![f32::NAN; slots * stride];
    for slot in basis.chunks_exact_mut(stride) {
        for (values, _) in slot.chunks_exact_mut(length).zip(active).filter(|(_, active)| **active) {
            values.copy_from_slice(&case.draw(length));
        }
    }
    (basis, stride)
}

/// The slots of one vector.
fn slots_of(basis: &[f32], stride: usize, vector: usize, length: usize) -> Vec<f64> {
    let parts = basis.chunks_exact(stride).map(|slot| &slot[vector * length..(vector + 1) * length]);
    parts.flat_map(widened).collect()
}

/// As `dot`, for every slot: a lane's chain over a segment, then the lanes; the host adds the segments.
pub fn project(case: &mut Case<'_>) {
    let (slots, vectors, length) = (case.shape.rows, case.shape.vectors(), case.shape.cols);
    let mask = case.mask(vectors);
    let (basis, stride) = basis(case, &mask.active);
    let input = case.draw(vectors * length);
    let input = case.vectors(input, length, &mask.active);
    let cut = Cut::for_group(length, case.lanes());
    let output = case.output(cut.count * vectors * slots);
    let uploaded = case.upload(&basis);
    let (found, segments) = case.run(&mask, &output, |recorder| {
        let basis = BasisRef { buffer: &uploaded, slots, stride };
        ops::project(recorder, Rows { vectors, length }, basis, &input.buffer, &output)
    });
    assert_eq!(segments.count, cut.count);
    let sums = sum_segments(&found, segments.count, vectors * slots);
    for (vector, sums) in sums.chunks_exact(slots).enumerate() {
        if !mask.active[vector] {
            let parts = found.chunks_exact(vectors * slots);
            parts.for_each(|part| case.expect_untouched(&part[vector * slots..(vector + 1) * slots]));
            continue;
        }
        let (basis, input) = (slots_of(&basis, stride, vector, length), input.vector(vector));
        let bound = Bound::of(cut.group_roundings(case.lanes()), flushed(4 * length, &[&basis, input]));
        let size = reference::project(&magnitudes(&basis), &magnitudes(input));
        case.compare(sums, &reference::project(&basis, input), &bound.each(&size));
    }
}

/// The segments of a coefficient, its product with the sign, its product with the basis, and a sum for each slot.
pub fn combine(case: &mut Case<'_>) {
    let (slots, vectors, length) = (case.shape.rows, case.shape.vectors(), case.shape.cols);
    let segments = if slots < 10_000 { [1, 2, 5][case.below(3)] } else { 1 };
    let sign = [1.0, -1.0, 0.3][case.below(3)];
    let mask = case.mask(vectors);
    let (basis, stride) = basis(case, &mask.active);
    let everywhere: Vec<bool> = (0..segments * vectors).map(|index| mask.active[index % vectors]).collect();
    let coefficients = case.draw(segments * vectors * slots);
    let coefficients = case.vectors(coefficients, slots, &everywhere);
    let mut start = case.draw(vectors * length);
    for (vector, values) in start.chunks_exact_mut(length).enumerate() {
        if !mask.active[vector] {
            values.fill(UNTOUCHED);
        }
    }
    let start = case.vectors(start, length, &[]);
    let uploaded = case.upload(&basis);
    let (found, ()) = case.run(&mask, &start.buffer, |recorder| {
        let coefficients = Segmented { buffer: &coefficients.buffer, count: segments };
        let basis = BasisRef { buffer: &uploaded, slots, stride };
        ops::combine(recorder, Rows { vectors, length }, basis, sign, coefficients, &start.buffer)
    });
    let sign = f64::from(sign);
    for (vector, found) in found.chunks_exact(length).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            continue;
        }
        let basis = slots_of(&basis, stride, vector, length);
        let parts: Vec<f64> =
            (0..segments).flat_map(|segment| coefficients.vector(segment * vectors + vector).to_vec()).collect();
        let sums = reference::sum_partials(&parts, slots);
        let sizes = reference::sum_partials(&magnitudes(&parts), slots);
        let flushed = flushed(slots * (2 * segments + 6), &[&parts, &basis, start.vector(vector)]);
        let bound = Bound::of(slots + segments + 1, flushed);
        let size = reference::combine(sign.abs(), &magnitudes(&basis), &sizes, &magnitudes(start.vector(vector)));
        let twin = reference::combine(sign, &basis, &sums, start.vector(vector));
        case.compare(found, &twin, &bound.each(&size));
    }
}

/// Exact: a power of two from its bits. The vectors are the `cols`, the segments the `rows`.
pub fn range(case: &mut Case<'_>) {
    let (segments, vectors) = (case.shape.rows, case.shape.cols);
    let mask = case.mask(vectors);
    let mut screens = vec![[0u32, u32::MAX]; segments * vectors];
    for vector in 0..vectors {
        let kind = case.below(8);
        for segment in 0..segments {
            let screen = &mut screens[segment * vectors + vector];
            screen[0] = match kind {
                0 => 0,
                1 => case.below(1 << 23) as u32,
                2 => 0x7f7f_ffff - case.below(1 << 24) as u32,
                _ => case.draw(1)[0].abs().to_bits(),
            };
        }
        if case.below(4) == 0 {
            screens[case.below(segments) * vectors + vector][1] = case.below(9) as u32;
        }
    }
    let untouched = NormaliserState { largest: UNTOUCHED, kind: 0, step: 7 };
    let (uploaded, factors) = (case.upload(&screens), case.output(vectors));
    let (active, states) = (case.upload(&mask.bits()), case.upload(&vec![untouched; vectors]));
    let plain = case.mask(0);
    let (found, ()) = case.run(&plain, &factors, |recorder| {
        ops::range(recorder, vectors, Segmented { buffer: &uploaded, count: segments }, &factors, &active, &states)
    });
    let (active, states) = (case.read(&active), case.read(&states));
    for vector in 0..vectors {
        if !mask.active[vector] {
            case.expect_untouched(&[found[vector]]);
            case.expect((active[vector], states[vector]) == (0, untouched), || format!("vector {vector} was touched"));
            continue;
        }
        let screens = || screens.iter().skip(vector).step_by(vectors);
        let largest = screens().map(|[bits, _]| f64::from(f32::from_bits(*bits))).fold(0.0, f64::max);
        let twin = reference::range(largest, screens().any(|[_, index]| *index != u32::MAX));
        let stop = match twin {
            reference::Ranged { non_finite: true, .. } => StopKind::NonFinite,
            reference::Ranged { zero: true, .. } => StopKind::Zero,
            _ => StopKind::Running,
        };
        case.expect_exact(&[found[vector]], &[twin.factor]);
        let (bit, state) = (active[vector], states[vector]);
        let agrees = state.stop() == stop && (bit != 0) == (stop == StopKind::Running);
        case.expect(agrees && state.step == 7, || format!("vector {vector} is {bit}, {state:?}, not {twin:?}"));
    }
}

/// Positive sums of squares, some of them zero or not finite.
pub fn squares(case: &mut Case<'_>, segments: usize, vectors: usize) -> Vec<f32> {
    let mut squares: Vec<f32> =
        (0..segments * vectors).map(|_| (0.1 + case.draw_as(Values::Ordinary, 1)[0].abs()) * case.power(10)).collect();
    for vector in 0..vectors {
        let special = [0.0, f32::INFINITY, f32::NAN];
        match case.below(10) {
            0 => (0..segments).for_each(|segment| squares[segment * vectors + vector] = 0.0),
            kind @ 1..=2 => squares[case.below(segments) * vectors + vector] = special[kind],
            _ => {}
        }
    }
    squares
}

pub fn column_of(values: &[f32], vectors: usize, vector: usize) -> Vec<f64> {
    values.iter().skip(vector).step_by(vectors).map(|value| f64::from(*value)).collect()
}

/// Under a root, roundings count half: `segments - 1` sums. `sqrt` is promised as 1 / inverseSqrt, 2.5 ulp and 2 ulp,
/// and one ulp is at most one rounding; the quotient is 2.5 ulp more. The vectors are the `cols`, the segments the
/// `rows`.
pub fn normaliser(case: &mut Case<'_>) {
    let (segments, vectors) = (case.shape.rows, case.shape.cols);
    let mask = case.mask(vectors);
    let values = squares(case, segments, vectors);
    let breakdown = 1e-5;
    // The largest norms so far leave no doubt about a breakdown: equal to the norm, or far above.
    let states: Vec<NormaliserState> = (0..vectors)
        .map(|vector| {
            let norm = column_of(&values, vectors, vector).iter().sum::<f64>().sqrt();
            let norm = if norm.is_finite() { norm as f32 } else { 1.0 };
            let largest = [0.0, 0.5 * norm, 100.0 * norm, 1e7 * norm][case.below(4)];
            NormaliserState { largest, kind: 0, step: 1 }
        })
        .collect();
    let factors: Vec<f32> = (0..vectors).map(|_| case.power(20)).collect();
    let first_norm = case.below(4);
    let norms = case.output(first_norm + vectors);
    let (squares, inverses) = (case.upload(&values), case.output(vectors));
    let (uploaded, active, held) = (case.upload(&factors), case.upload(&mask.bits()), case.upload(&states));
    let memory = Normalise { vectors, factors: &uploaded, inverses: &inverses, active: &active, states: &held };
    let plain = case.mask(0);
    let (found, ()) = case.run(&plain, &inverses, |recorder| {
        ops::normaliser(
            recorder,
            &memory,
            Segmented { buffer: &squares, count: segments },
            &NormsOfStep { norms: &norms, first_norm, step: 2, breakdown },
        )
    });
    let (norms, active, held) = (case.read(&norms), case.read(&active), case.read(&held));
    case.expect_untouched(&norms[..first_norm]);
    let half = (segments - 1) as f64 / 2.0;
    for vector in 0..vectors {
        let (norm, bit, state) = (norms[first_norm + vector], active[vector], held[vector]);
        if !mask.active[vector] {
            case.expect_untouched(&[norm, found[vector]]);
            case.expect((bit, state) == (0, states[vector]), || format!("vector {vector} was touched"));
            continue;
        }
        let largest = f64::from(states[vector].largest);
        let column = column_of(&values, vectors, vector);
        let twin = reference::normaliser(&column, f64::from(factors[vector]), largest, f64::from(breakdown));
        let stop = match twin {
            reference::Normalised { non_finite: true, .. } => StopKind::NonFinite,
            reference::Normalised { breakdown: true, .. } => StopKind::Breakdown,
            _ => StopKind::Running,
        };
        let agrees = state.stop() == stop && (bit != 0) == (stop == StopKind::Running) && state.step == 2;
        case.expect(agrees, || format!("vector {vector} is {bit}, {state:?}, not {twin:?}"));
        if !twin.non_finite {
            let bound = Bound::halves(half + 4.5);
            case.compare(&[norm], &[twin.norm], &[bound.at(twin.norm)]);
            case.compare(&[state.largest], &[twin.largest], &[bound.at(twin.largest)]);
        }
        let bound = Bound::halves(half + 7.0).at(twin.inverse);
        case.compare(&[found[vector]], &[twin.inverse], &[bound]);
    }
}

/// The residual as the norm of [`normaliser`]; sigma is exact, or the product of two roots in the Gram form. The
/// vectors are the `cols`, the segments the `rows`.
pub fn power_check(case: &mut Case<'_>) {
    let (segments, vectors) = (case.shape.rows, case.shape.cols);
    let mask = case.mask(vectors);
    let values = squares(case, segments, vectors);
    let norms: Vec<f32> = (0..2 * vectors).map(|_| 0.1 + case.draw_as(Values::Ordinary, 1)[0].abs()).collect();
    let gram = case.below(2) == 1;
    let (rtol, atol) = [(1e-6, 0.0), (0.0, 30.0), (40.0, 3.0)][case.below(3)];
    let untouched = PowerReport { sigma: UNTOUCHED, residual: UNTOUCHED, converged: 0, iteration: 4 };
    let reports = case.upload(&vec![untouched; vectors]);
    let (squares, uploaded, active): (Buffer<f32>, _, _) =
        (case.upload(&values), case.upload(&norms), case.upload(&mask.bits()));
    let check = PowerCheck { iteration: 5, gram, rtol, atol };
    let plain = case.mask(0);
    let (found, ()) = case.run(&plain, &reports, |recorder| {
        ops::power_check(
            recorder,
            vectors,
            &check,
            Segmented { buffer: &squares, count: segments },
            &uploaded,
            &active,
            &reports,
        )
    });
    let active = case.read(&active);
    let half = (segments - 1) as f64 / 2.0;
    for vector in 0..vectors {
        let (bit, report) = (active[vector], found[vector]);
        if !mask.active[vector] {
            case.expect((bit, report) == (0, untouched), || format!("vector {vector} was touched"));
            continue;
        }
        let sides = (f64::from(norms[vector]), f64::from(norms[vectors + vector]));
        let column = column_of(&values, vectors, vector);
        let twin = reference::power_check(&column, sides, gram, (f64::from(rtol), f64::from(atol)));
        if twin.residual.is_finite() {
            let bound = Bound::halves(half + 4.5);
            case.compare(&[report.residual], &[twin.residual], &[bound.at(twin.residual)]);
            // Either answer is right so near the threshold.
            if (twin.residual - twin.threshold).abs() <= 2.0 * bound.at(twin.residual) {
                continue;
            }
        }
        let sigma = Bound::halves(if gram { 10.0 } else { 0.0 }).at(twin.sigma);
        case.compare(&[report.sigma], &[twin.sigma], &[sigma]);
        let converged = twin.converged();
        let agrees = (report.converged == 1) == converged && (bit == 0) == converged && report.iteration == 5;
        case.expect(agrees, || format!("vector {vector} is {bit}, {report:?}, not {twin:?}"));
    }
}
