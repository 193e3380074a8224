//! Kernels over tensors of any shape: elementwise functions, copies along strides, sums over an axis.

use opnorm::low_level::ops::{Around, Axis, Binary, InsertAt, RANK, Span, Unary};
use opnorm::low_level::{ops, reference};

use super::bounds::{Bound, Cut, U, flushed, gamma, tree_roundings};
use super::case::{Case, UNTOUCHED};
use super::values::{magnitudes, widened};

/// A function of one number: its reference implementation, its test arguments (from a number of the case's kind), and
/// its error bound at an argument, in units of 2^-23.
struct Function {
    function: &'static Unary,
    twin: fn(f64, f64) -> f64,
    argument: fn(f32) -> f32,
    error: fn(f64, f64, f64) -> f64,
}

fn any(x: f32) -> f32 {
    x
}

/// Within ±10, where exponentials neither overflow nor underflow.
fn near(x: f32) -> f32 {
    x % 10.0
}

/// Above 0, subnormal numbers too.
fn positive(x: f32) -> f32 {
    if x == 0.0 { 1.0 } else { x.abs() }
}

/// The largest argument of the exponential in the tanh of GELU.
fn cubic(x: f64) -> f64 {
    1.6 * x.abs() + 0.072 * x.abs().powi(3)
}

/// The bounds that the shaders state, and a unit more for the rounding of a parameter. Values near a zero of a slope
/// are off by units of the cancelling terms.
fn functions() -> Vec<Function> {
    use reference::unary as twin;
    let row = |function, twin, argument, error| Function { function, twin, argument, error };
    // Units in the last place are at most 2^-23 of the value.
    let rounding: fn(f64, f64, f64) -> f64 = |_, _, y| y.abs();
    let exact: fn(f64, f64, f64) -> f64 = |_, _, _| 0.0;
    vec![
        row(Unary::SCALE, twin::scale, any, rounding),
        row(Unary::SHIFT, twin::shift, any, rounding),
        row(Unary::EXP, twin::exp, near, |_, _, y| 4.0 * y),
        row(Unary::EXP_BELOW, twin::exp_below, near, |_, _, y| 5.0 * y.abs()),
        row(Unary::LOG, twin::log, positive, |_, _, y| 4.0 * y.abs()),
        row(Unary::LOG1P, twin::log1p, positive, |_, _, y| 8.0 * y),
        row(Unary::SQRT, twin::sqrt, positive, |_, _, y| 6.5 * y),
        row(Unary::SIN, twin::sin, any, |_, _, y| 8.0 * y.abs()),
        row(Unary::COS, twin::cos, any, |_, _, y| 8.0 * y.abs()),
        row(Unary::TANH, twin::tanh, near, |_, _, y| 8.0 * y.abs()),
        row(Unary::SECH2, twin::sech2, near, |_, _, y| 24.0 * y),
        row(Unary::SIGMOID, twin::sigmoid, near, |_, _, y| 9.0 * y),
        row(Unary::LOGISTIC_SLOPE, twin::logistic_slope, near, |_, _, y| 13.0 * y.abs()),
        row(Unary::SILU, twin::silu, near, |_, _, y| 13.0 * y.abs()),
        row(Unary::SILU_SLOPE, twin::silu_slope, near, |x, _, y| 30.0 * (1.0 + x.abs()) * (-x.abs()).exp() + y.abs()),
        row(Unary::SOFTPLUS, twin::softplus, near, |_, _, y| 14.0 * y),
        row(Unary::RELU, twin::relu, any, exact),
        row(Unary::STEP, twin::step, any, exact),
        row(Unary::SIGN, twin::sign, any, exact),
        row(Unary::ABS, twin::abs, any, exact),
        row(Unary::LEAKY_RELU, twin::leaky_relu, any, rounding),
        row(Unary::ELU, twin::elu, near, |_, _, y| 9.0 * y.abs()),
        row(Unary::BOUND, twin::bound, any, exact),
        row(Unary::NORMAL_CDF, twin::normal_cdf, near, |_, _, y| 24.0 * y),
        row(Unary::NORMAL_DENSITY, twin::normal_density, near, |_, _, y| 16.0 * y.abs()),
        row(Unary::GELU, twin::gelu, near, |_, _, y| 26.0 * y.abs()),
        row(Unary::GELU_SLOPE, twin::gelu_slope, near, |x, _, y| {
            24.0 * (2.0 + x.abs()) * twin::normal_density(x, 1.0) + y.abs()
        }),
        row(Unary::GELU_TANH, twin::gelu_tanh, near, |x, _, y| (13.0 + 3.0 * cubic(x)) * y.abs()),
        row(Unary::GELU_TANH_SLOPE, twin::gelu_tanh_slope, near, |x, _, y| {
            (30.0 + 3.0 * cubic(x)) * (1.0 + 3.0 * cubic(x)) * twin::sigmoid(-0.99 * cubic(x), 0.0) + y.abs()
        }),
    ]
}

/// The error of flushing the argument and result of a function with slope at most 2.
const FLUSHED: f64 = 4.0 / (1u128 << 126) as f64;

/// Every function at numbers of the case's kind, and powers.
pub fn unary(case: &mut Case<'_>) {
    let length = case.shape.vectors() * case.shape.cols;
    let mask = case.mask(0);
    for Function { function, twin, argument, error } in functions() {
        let values: Vec<f32> = case.draw(length).into_iter().map(argument).collect();
        let parameter = case.power(3) * 0.75;
        let (input, output) = (case.upload(&values), case.output(length));
        let (found, ()) =
            case.run(&mask, &output, |recorder| ops::unary(recorder, function, parameter, &input, &output));
        let twins = reference::unary::unary(twin, f64::from(parameter), &widened(&values));
        let bounds = values.iter().zip(&twins).map(|(x, y)| {
            // The second order of a few hundred units is below a thousandth of them.
            1.001 * U * error(f64::from(*x), f64::from(parameter), *y) + FLUSHED * f64::from(parameter.max(1.0))
        });
        case.compare(&found, &twins, &bounds.collect::<Vec<_>>());
    }
    powers(case, length);
}

fn powers(case: &mut Case<'_>, length: usize) {
    let mask = case.mask(0);
    for parameter in [0.0f32, 1.0, 2.0, 3.0, -1.0, -3.0, 7.0, 0.5, -1.5, 2.75, 65.0] {
        let whole = parameter.fract() == 0.0;
        let sizes = case.draw(length).into_iter().map(|x| x.abs() % 1.5 + 0.5);
        let values: Vec<f32> =
            sizes.enumerate().map(|(index, x)| if whole && index % 2 == 1 { -x } else { x }).collect();
        let (input, output) = (case.upload(&values), case.output(length));
        let (found, ()) =
            case.run(&mask, &output, |recorder| ops::unary(recorder, Unary::POWER, parameter, &input, &output));
        let p = f64::from(parameter);
        let twins = reference::unary::unary(reference::unary::power, p, &widened(&values));
        let bound = |y: &f64| {
            let units = if whole && p.abs() <= 64.0 { p.abs() + 3.0 } else { 5.0 + 3.0 * p.abs() };
            gamma(units) * y.abs()
        };
        let bounds: Vec<f64> = twins.iter().map(bound).collect();
        case.compare(&found, &twins, &bounds);
    }
}

/// A rounding, and three for a quotient (2.5 units), which WGSL bounds for divisors in range alone.
pub fn binary(case: &mut Case<'_>) {
    use reference::binary as twin;
    let length = case.shape.vectors() * case.shape.cols;
    let mask = case.mask(0);
    type Twin = fn(f64, f64) -> f64;
    let rows = [
        (Binary::ADD, twin::add as Twin, 1),
        (Binary::SUBTRACT, twin::subtract, 1),
        (Binary::MULTIPLY, twin::multiply, 1),
        (Binary::DIVIDE, twin::divide, 3),
        (Binary::MAXIMUM, twin::maximum, 0),
        (Binary::PICK, twin::pick, 0),
        (Binary::GREATER, twin::greater, 0),
    ];
    for (function, twin, roundings) in rows {
        let left = case.draw(length);
        let mut right = case.draw(length);
        if function.name() == "divide" {
            right.iter_mut().for_each(|x| *x = x.abs().max(2f32.powi(-60)));
        }
        let (left_buffer, right_buffer, output) = (case.upload(&left), case.upload(&right), case.output(length));
        let (found, ()) =
            case.run(&mask, &output, |recorder| ops::binary(recorder, function, &left_buffer, &right_buffer, &output));
        let (left, right) = (widened(&left), widened(&right));
        let twins = twin::binary(twin, &left, &right);
        let flushing = |(left, right): (&f64, &f64)| flushed(3, &[&[*left], &[*right]]) * 2f64.powi(60);
        let lost = left.iter().zip(&right).map(|pair| if roundings == 0 { 0.0 } else { flushing(pair) });
        let bounds: Vec<f64> = twins.iter().zip(lost).map(|(y, lost)| Bound::of(roundings, lost).at(y.abs())).collect();
        case.compare(&found, &twins, &bounds);
    }
}

/// A permutation of axes, then a repetition of one number along a new axis in front and of one in the middle.
pub fn strided(case: &mut Case<'_>) {
    let sizes = [case.shape.batch, case.shape.columns, case.shape.rows % 7 + 1, case.shape.cols];
    let strides = |order: [usize; 4]| order.map(|axis| sizes[axis + 1..].iter().product::<usize>());
    let reversed = [3, 1, 0, 2];
    let permuted = strides(reversed);
    let [_, _, c, d] = strides([0, 1, 2, 3]);
    let views: [(Vec<usize>, Vec<usize>); 3] = [
        (reversed.map(|axis| sizes[axis]).to_vec(), permuted.to_vec()),
        (vec![1, 2, sizes[2], 3, 1, sizes[3]], vec![9, 0, c, 0, 5, d]),
        (vec![sizes.iter().product()], vec![1]),
    ];
    let mask = case.mask(0);
    for (sizes_of, strides_of) in views {
        assert!(sizes_of.len() <= RANK);
        let values = case.draw(sizes.iter().product());
        let (input, output) = (case.upload(&values), case.output(sizes_of.iter().product()));
        let (found, ()) =
            case.run(&mask, &output, |recorder| ops::strided(recorder, &sizes_of, &strides_of, &input, &output));
        case.expect_exact(&found, &reference::strided(&widened(&values), &sizes_of, &strides_of));
    }
}

/// A part within the axis, the axis with zeros on both sides, and parts past the axis.
pub fn window(case: &mut Case<'_>) {
    let (outer, source, inner) = (case.shape.vectors(), case.shape.cols, case.shape.rows);
    let mask = case.mask(0);
    let signed = source.cast_signed();
    for (start, length) in [(signed / 3, source - source / 2), (-2, source + 3), (signed - 1, 3), (signed, 2)] {
        let values = case.draw(outer * source * inner);
        let (input, output) = (case.upload(&values), case.output(outer * length * inner));
        let (found, ()) = case.run(&mask, &output, |recorder| {
            ops::window(recorder, Axis { outer, length: source, inner }, Span { start, length }, &input, &output)
        });
        case.expect_exact(&found, &reference::window(&widened(&values), (outer, source, inner), (start, length)));
    }
}

/// Runs of 16 and a tree of their sums, of a segment and of the segments.
pub fn sum_axis(case: &mut Case<'_>) {
    let (outer, length, inner) = (case.shape.vectors(), case.shape.cols, case.shape.rows);
    let cut = Cut::for_lane(length);
    assert_eq!(ops::sum_axis_segments(length).count, cut.count);
    let values = case.draw(outer * length * inner);
    let (input, output) = (case.upload(&values), case.output(outer * inner));
    let partials = case.output(outer * cut.count * inner);
    let mask = case.mask(0);
    let (found, ()) = case.run(&mask, &output, |recorder| {
        ops::sum_axis(recorder, Axis { outer, length, inner }, &input, &partials, &output)
    });
    let values = widened(&values);
    let sums = |values: &[f64]| reference::sum_axis(values, outer, length, inner);
    let bounds = Bound::of(tree_roundings(cut.length) + tree_roundings(cut.count), flushed(3 * length, &[&values]));
    case.compare(&found, &sums(&values), &bounds.each(&sums(&magnitudes(&values))));
}

/// Places drawn with repetition: exact copies, and sums over the transposed lists.
pub fn gather(case: &mut Case<'_>) {
    let (outer, source, inner) = (case.shape.vectors(), case.shape.cols, case.shape.rows);
    let indices: Vec<usize> = (0..source / 2 + 3).map(|_| case.below(source)).collect();
    let places = ops::Places::of(source, &indices).unwrap();
    let mask = case.mask(0);
    for places in [places.transposed(), places] {
        let values = case.draw(outer * places.source() * inner);
        let (input, output) = (case.upload(&values), case.output(outer * places.length() * inner));
        let (found, ()) = case
            .run(&mask, &output, |recorder| ops::gather(recorder, Around { outer, inner }, &places, &input, &output));
        let lists: Vec<&[u32]> = (0..places.length()).map(|index| places.list(index)).collect();
        let longest = lists.iter().map(|list| list.len()).max().unwrap();
        let values = widened(&values);
        let sums = |values: &[f64]| reference::gather(values, (outer, places.source(), inner), &lists);
        if lists.iter().all(|list| list.len() == 1) {
            case.expect_exact(&found, &sums(&values));
        }
        let bounds = Bound::of(tree_roundings(longest.max(1)), flushed(3 * longest, &[&values]));
        case.compare(&found, &sums(&values), &bounds.each(&sums(&magnitudes(&values))));
    }
}

/// A part at the start, within and at the end of an axis; the rest stays unchanged.
pub fn insert(case: &mut Case<'_>) {
    let (outer, length, inner) = (case.shape.vectors(), case.shape.cols, case.shape.rows);
    let mask = case.mask(0);
    for (first, target) in [(0, length + 2), (1, length + 2), (2, length + 2), (0, length)] {
        let values = case.draw(outer * length * inner);
        let (input, output) = (case.upload(&values), case.output(outer * target * inner));
        let (found, ()) = case.run(&mask, &output, |recorder| {
            ops::insert(
                recorder,
                Axis { outer, length, inner },
                InsertAt { first, target_length: target },
                &input,
                &output,
            )
        });
        let mut twin = vec![f64::from(UNTOUCHED); found.len()];
        reference::insert(&widened(&values), (outer, length, inner), (first, target), &mut twin);
        case.expect_exact(&found, &twin);
    }
}
