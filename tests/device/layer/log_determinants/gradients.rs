//! Derivatives: those of differences with the same probes, and on average those of the exact log-determinant.

use opnorm::layer::{Activation, LogDeterminant, Probes, Roulette, Scope};
use opnorm::tape::{Tape, Value};

use super::super::super::matrices::Source;
use super::super::gpu;
use super::{Case, case, inner, tensor, wide};
use crate::is_full;

/// Two blocks of three dimensions with smooth activations.
fn smooth(seed: u64) -> Case {
    let blocks = [Activation::Tanh, Activation::Softplus].map(|activation| inner(true, [3, 4], activation));
    case(&mut Source::new(seed), blocks.to_vec(), &[3], 0.5)
}

#[test]
fn derivatives_are_those_of_differences_with_the_same_probes() {
    let case = smooth(490);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &case.parameters).unwrap();
    let x = tape.input(&case.shape).unwrap();
    let weights = Roulette { stop: 0.4, certain: 1 }.weights(gpu(), [2, 3], 2, 0).unwrap();
    let weights = tape.constant(&weights).unwrap();
    let probes = case.probes(&tape, Probes::Normal, 3, 2);
    let of = |method: &LogDeterminant| case.network.apply_with_log_determinant(&scope, "", &x, method).unwrap().1.value;
    let series = of(&LogDeterminant::Series { terms: 5, probes: &probes });
    let roulette = of(&LogDeterminant::Roulette { weights: &weights, probes: &probes });
    let at: Vec<Vec<f64>> = std::iter::once(wide(&case.x))
        .chain(case.parameters.names().map(|name| wide(&case.parameters.read(name).unwrap())))
        .collect();
    let at: Vec<&[f64]> = at.iter().map(Vec::as_slice).collect();
    let report = tape.check_gradients(&[&series, &roulette], &scope.inputs(&[&x]), &at).unwrap();
    assert!(report.agrees(), "{report}");
}

/// The slopes of a sum of values by one weight, each with its own sign.
fn slope(tape: &Tape, value: &Value, weight: &Value) -> Value {
    let whole = value.sum(&[0]).unwrap();
    let gradient = tape.grad(&whole, &[weight]).unwrap().swap_remove(0);
    let signs: Vec<f32> = (0..12).map(|place| if place % 3 == 0 { 1.0 } else { -0.5 }).collect();
    let direction = tape.constant(&tensor(gradient.shape(), &signs)).unwrap();
    gradient.multiply(&direction).unwrap().sum(&[0, 1]).unwrap()
}

#[test]
fn the_mean_of_gradients_is_the_exact_gradient() {
    // A draw takes half a second on software adapters.
    let draws = if gpu().is_host() || is_full() { 400u64 } else { 16 };
    let (case, count) = (smooth(491), 3);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &case.parameters).unwrap();
    let x = tape.input(&case.shape).unwrap();
    let probes = tape.input(&[2, count, 2, 3]).unwrap();
    // As many rows as any draw needs, which the weights of a draw fill with zeros.
    let weights = tape.input(&[2, 24, count]).unwrap();
    let methods = [
        LogDeterminant::Exact,
        LogDeterminant::Series { terms: 24, probes: &probes },
        LogDeterminant::Roulette { weights: &weights, probes: &probes },
        LogDeterminant::HutchPlusPlus { terms: 24, sketch: 1, probes: &probes },
    ];
    let weight = scope.value("0.0.weight").unwrap();
    let slopes = methods.map(|method| {
        let volume = case.network.apply_with_log_determinant(&scope, "", &x, &method).unwrap().1;
        slope(&tape, &volume.value, weight)
    });
    let program = tape.compile(&scope.inputs(&[&x, &probes, &weights]), &slopes).unwrap();
    let (mut sums, mut exact) = ([[0.0; 2]; 3], 0.0);
    for draw in 0..draws {
        let drawn = Roulette { stop: 0.5, certain: 1 }.weights(gpu(), [2, count], 4, draw).unwrap();
        let terms = drawn.shape()[1];
        let data = drawn.read(gpu()).unwrap();
        let mut padded = vec![0.0; 2 * 24 * count];
        for block in 0..2 {
            padded[block * 24 * count..][..terms * count]
                .copy_from_slice(&data[block * terms * count..][..terms * count]);
        }
        let probes = Probes::Normal.draw(gpu(), &[2, count, 2, 3], 4, draw).unwrap();
        let given = [&tensor(&case.shape, &case.x), &probes, &tensor(&[2, 24, count], &padded)];
        let found = program.run(&case.parameters.tensors(&given)).unwrap();
        let found: Vec<f64> = found.iter().map(|found| f64::from(found.read(gpu()).unwrap()[0])).collect();
        exact = found[0];
        for (sums, found) in sums.iter_mut().zip(&found[1..]) {
            sums[0] += found;
            sums[1] += found * found;
        }
    }
    for (method, [sum, squares]) in ["series", "roulette", "Hutch++"].iter().zip(sums) {
        let (mean, draws) = (sum / draws as f64, draws as f64);
        let error = ((squares / draws - mean * mean) / (draws - 1.0)).sqrt();
        println!("{method}: {mean} ± {error}, exactly {exact}");
        let is_close = (mean - exact).abs() <= 3.0 * error && error < 2.0 / draws.sqrt();
        assert!(is_close, "{method}: {mean} ± {error}, {exact}");
    }
}

#[test]
fn a_sketch_of_all_dimensions_has_the_gradient_of_the_series_exactly() {
    let case = smooth(492);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &case.parameters).unwrap();
    let x = tape.input(&case.shape).unwrap();
    let probes = case.probes(&tape, Probes::Normal, 4, 8);
    let whole = LogDeterminant::HutchPlusPlus { terms: 30, sketch: 3, probes: &probes };
    let slopes = [whole, LogDeterminant::Exact].map(|method| {
        let volume = case.network.apply_with_log_determinant(&scope, "", &x, &method).unwrap().1;
        tape.grad(&volume.value.sum(&[0]).unwrap(), &[&x]).unwrap().swap_remove(0)
    });
    let program = tape.compile(&scope.inputs(&[&x]), &slopes).unwrap();
    let found = program.run(&case.parameters.tensors(&[&tensor(&case.shape, &case.x)])).unwrap();
    let [left, right] = [0, 1].map(|index: usize| found[index].read(gpu()).unwrap());
    for (left, right) in left.iter().zip(&right) {
        // 0.5^30 is left out, and the products of a few dozen roundings of numbers up to 1 are summed.
        assert!((left - right).abs() <= 1e-5, "{left}, {right}");
    }
}
