//! Fifty random networks: the exact values against `f64`, the estimates within their errors, and the errors as derived.

use faer::Mat;
use opnorm::layer::{Activation, LogDeterminant, Probes, Roulette};

use super::super::super::matrices::Source;
use super::super::gpu;
use super::{Case, case, inner, logarithm, series, trace};

const NORMS: [f64; 5] = [0.3, 0.5, 0.6, 0.75, 0.9];
const SIZES: [usize; 8] = [2, 3, 4, 6, 8, 12, 16, 32];
/// Probes of each estimate; Hutch++ has its sketch besides.
const COUNT: usize = 32;

/// Network number `number`: every fifth is convolutional, and the dimensions go from 2 to 32.
pub(super) fn network(number: usize) -> (Case, f64) {
    let mut source = Source::new(400 + number as u64);
    let norm = NORMS[number % 5];
    let activation = [Activation::Tanh, Activation::Elu, Activation::Relu, Activation::Softplus][number % 4];
    let (is_linear, size) = (number / 5 % 5 != 4, SIZES[number % 8]);
    let (item, sizes) =
        if is_linear { (vec![size], [size, size + 3]) } else { (vec![2, 2, (size / 4).max(1)], [2, 3]) };
    let layers = (0..1 + number % 2).map(|_| inner(is_linear, sizes, activation)).collect();
    (case(&mut source, layers, &item, norm), norm)
}

/// A number of terms whose rest is small for a norm.
fn terms(norm: f64) -> usize {
    (1e-3f64.ln() / norm.ln()).ceil() as usize
}

/// The exact values, then the series, Roulette and Hutch++, each with its standard error.
fn by_all(case: &Case, norm: f64, seed: u64) -> Vec<[Vec<f64>; 2]> {
    case.found(|tape, apply| {
        let (terms, sketch) = (terms(norm), case.size().min(4));
        let weights = Roulette::below(norm).unwrap().weights(gpu(), [case.blocks(), COUNT], seed, 0).unwrap();
        let weights = tape.constant(&weights).unwrap();
        let probes = case.probes(tape, Probes::Signs, COUNT, seed);
        let more = case.probes(tape, Probes::Normal, COUNT + sketch, seed + 1);
        let methods = [
            LogDeterminant::Exact,
            LogDeterminant::Series { terms, probes: &probes },
            LogDeterminant::Roulette { weights: &weights, probes: &probes },
            LogDeterminant::HutchPlusPlus { terms, sketch, probes: &more },
        ];
        methods.iter().map(apply).collect()
    })
}

/// Σ |ln sigma| over the singular values of I + J.
fn magnitudes(jacobian: &Mat<f64>) -> f64 {
    let whole = Mat::<f64>::identity(jacobian.nrows(), jacobian.nrows()) + jacobian;
    whole.singular_values().unwrap().iter().map(|sigma| sigma.ln().abs()).sum()
}

/// The least count that so many events of a probability exceed with a probability below 1e-3.
fn allowed(events: usize, probability: f64) -> usize {
    let (mut term, mut sum, mut count) = ((1.0 - probability).powf(events as f64), 0.0, 0);
    loop {
        sum += term;
        if sum > 1.0 - 1e-3 {
            return count;
        }
        term *= (events - count) as f64 / (count + 1) as f64 * probability / (1.0 - probability);
        count += 1;
    }
}

#[test]
fn all_methods_agree_on_fifty_networks() {
    let (mut outside, mut compared, mut worst, mut scores) = ([0; 3], 0usize, 0f64, [0.0; 3]);
    for number in 0..50 {
        let (case, norm) = network(number);
        let (found, jacobians) = (by_all(&case, norm, 1000 * number as u64), case.jacobians());
        let bound = case.network.truncation("", &case.parameters, terms(norm), case.size()).unwrap().upper;
        // The k-th power is off by k products of up to size + 4 roundings, on each side. The pivots of I + J are off by
        // as many, divided by a smallest singular value of 1 - L.
        let roundings = (2 * case.size() + 16) as f64 * 2f64.powi(-24);
        let rounding = (case.blocks() * case.size()) as f64 * roundings * (1.0 + norm) / (1.0 - norm);
        for item in 0..2 {
            let exact: f64 = jacobians.iter().map(|block| logarithm(&block[item])).sum();
            let sum: f64 = jacobians.iter().map(|block| trace(&series(&block[item], terms(norm)))).sum();
            let error = (found[0][0][item] - exact).abs();
            assert!(error <= rounding, "network {number}: {} exactly {exact}, {rounding:e}", found[0][0][item]);
            assert_eq!(found[0][1][item], 0.0);
            // The sum of the logarithms of the singular values may cancel, so that their magnitudes are the scale.
            let scale: f64 = jacobians.iter().map(|block| magnitudes(&block[item])).sum();
            worst = worst.max(error / scale);
            assert!((sum - exact).abs() <= bound * (1.0 + 1e-9), "network {number}: {sum}, {exact}, {bound:e}");
            compared += 1;
            for (method, [values, errors]) in found[1..].iter().enumerate() {
                let mean = if method == 1 { exact } else { sum };
                let (value, error) = (values[item], errors[item]);
                let rest = if method == 1 { 0.0 } else { bound };
                outside[method] += usize::from((value - exact).abs() > 3.0 * error + rest + rounding);
                scores[method] += (value - mean) / (error + rounding);
            }
        }
    }
    println!("exact: largest relative error {worst:.1e}; outside of three standard errors: {outside:?} of {compared}");
    println!("means of (value - mean) / error: {:?}", scores.map(|score| score / compared as f64));
    // Beyond 3 in magnitude lies 0.0053 of Student's distribution for 32 samples.
    let allowed = allowed(compared, 0.0053);
    assert!(outside.iter().all(|outside| *outside <= allowed), "{outside:?}, {allowed} allowed");
    // A bias shows in the sum of all scores, whose deviation is about √compared.
    assert!(scores.iter().all(|score| score.abs() <= 4.0 * (compared as f64).sqrt()), "{scores:?}");
}

#[test]
fn standard_errors_are_those_of_the_variance() {
    let mut source = Source::new(470);
    let case = case(&mut source, vec![inner(true, [6, 9], Activation::Tanh)], &[6], 0.8);
    let (terms, count) = (12, 2000);
    let found = case.found(|tape, apply| {
        let kinds = [Probes::Signs, Probes::Normal].map(|kind| case.probes(tape, kind, count, 5));
        kinds.iter().map(|probes| apply(&LogDeterminant::Series { terms, probes })).collect()
    });
    for item in 0..2 {
        let matrix = series(&case.jacobians()[0][item], terms);
        let square = |row: usize, col: usize| ((matrix[(row, col)] + matrix[(col, row)]) / 2.0).powi(2);
        let whole: f64 = (0..36).map(|place| square(place / 6, place % 6)).sum();
        let diagonal: f64 = (0..6).map(|place| square(place, place)).sum();
        for ([values, errors], square) in found.iter().zip([whole - diagonal, whole]) {
            let expected = (2.0 * square / count as f64).sqrt();
            assert!((errors[item] / expected - 1.0).abs() < 0.1, "{} for {expected}", errors[item]);
            let value = values[item];
            assert!((value - trace(&matrix)).abs() < 3.0 * expected, "{value} ± {expected}, {}", trace(&matrix));
        }
    }
}

#[test]
fn a_sketch_takes_the_error_of_what_it_spans() {
    // A hidden layer of two units makes J a matrix of rank 2, so that a sketch of 3 spans its range.
    let mut source = Source::new(471);
    let case = case(&mut source, vec![inner(true, [8, 2], Activation::Elu)], &[8], 0.8);
    let found = case.found(|tape, apply| {
        let probes = case.probes(tape, Probes::Normal, 10, 6);
        let few = case.probes(tape, Probes::Normal, 7, 6);
        let sketched = LogDeterminant::HutchPlusPlus { terms: 60, sketch: 3, probes: &probes };
        [sketched, LogDeterminant::Series { terms: 60, probes: &few }].iter().map(apply).collect()
    });
    let [sketched, plain] = &found[..] else { panic!("{} results", found.len()) };
    for (item, jacobian) in case.jacobians()[0].iter().enumerate() {
        let (exact, value, error) = (logarithm(jacobian), sketched[0][item], sketched[1][item]);
        assert!(error < 1e-5 && (value - exact).abs() < 1e-5, "{value} ± {error}, {exact}");
        assert!(plain[1][item] > 1e-2, "{}", plain[1][item]);
    }
}
