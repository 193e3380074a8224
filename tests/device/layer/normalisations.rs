//! Parametrised weights beside PyTorch's: outputs, states and gradients over several steps (`tests/data/
//! make_normalisation_fixtures.py`).

use std::collections::HashMap;

use opnorm::layer::{
    Conv2d, ConvTranspose2d, Divisor, Generation, Layer, Linear, Parameters, Parametrisation, Scope,
    SpectralNormalisation, WeightNormalisation,
};
use opnorm::tape::Tape;
use opnorm::tensor::{Conv2dOptions, Tensor};
use serde_json::Value as Json;

use super::{expect_close, gpu, output};

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn narrow(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|number| *number as f32).collect()
}

fn sizes(json: &Json) -> Vec<usize> {
    json.as_array().unwrap().iter().map(|size| size.as_u64().unwrap() as usize).collect()
}

fn parametrised(case: &Json, how: impl Parametrisation + 'static) -> Box<dyn Layer> {
    let shape = sizes(&case["shape"]);
    let sliding = Conv2dOptions { stride: [2, 2], padding: [1, 1], ..Conv2dOptions::default() };
    match case["kind"].as_str().unwrap() {
        "linear" => Box::new(Linear::new(shape[1], shape[0]).parametrised(how)),
        "conv" => Box::new(Conv2d::new(shape[1], shape[0], [shape[2], shape[3]]).sliding(sliding).parametrised(how)),
        _ => {
            let layer = ConvTranspose2d::new(shape[0], shape[1], [shape[2], shape[3]]);
            Box::new(layer.sliding(sliding, [0, 0]).parametrised(how))
        }
    }
}

pub(super) fn layer(case: &Json) -> Box<dyn Layer> {
    let generation = if case["hooks"] == true { Generation::Hooks } else { Generation::Parametrizations };
    let axis = case["axis"].as_u64().map(|axis| axis as usize);
    if case["how"] == "weight" {
        return parametrised(case, WeightNormalisation { generation, axis });
    }
    let iterations = case["iterations"].as_u64().unwrap() as usize;
    let axis = axis.unwrap();
    parametrised(case, SpectralNormalisation { generation, axis, iterations, ..SpectralNormalisation::default() })
}

/// The gradients of Σ y cos(index) by the trained parameters and by x, in an evaluation.
fn gradients(layer: &dyn Layer, parameters: &Parameters, shape: &[usize], x: &[f32]) -> HashMap<String, Vec<f32>> {
    gradients_in(false, layer, parameters, shape, x)
}

fn gradients_in(
    is_training: bool,
    layer: &dyn Layer,
    parameters: &Parameters,
    shape: &[usize],
    x: &[f32],
) -> HashMap<String, Vec<f32>> {
    let tape = Tape::new(gpu());
    let scope = if is_training { Scope::training(&tape, parameters) } else { Scope::evaluation(&tape, parameters) };
    let scope = scope.unwrap();
    let input = tape.input(shape).unwrap();
    let y = layer.apply(&scope, "", &input).unwrap();
    let weights: Vec<f32> = (0..y.shape().iter().product()).map(|index: usize| (index as f64).cos() as f32).collect();
    let weights = tape.constant(&Tensor::from_slice(gpu(), y.shape(), &weights).unwrap()).unwrap();
    let axes: Vec<usize> = (0..y.shape().len()).collect();
    let loss = y.multiply(&weights).unwrap().sum(&axes).unwrap();
    let trained = scope.trained();
    let by: Vec<_> = trained.iter().map(|(_, value)| *value).chain([&input]).collect();
    let by: Vec<_> = by.into_iter().cloned().collect();
    let slopes = tape.grad(&loss, &by).unwrap();
    let program = tape.compile(&scope.inputs(&[&input]), &slopes).unwrap();
    let x = Tensor::from_slice(gpu(), shape, x).unwrap();
    let found = program.run(&parameters.tensors(&[&x])).unwrap();
    let names = trained.iter().map(|(name, _)| (*name).to_string()).chain(["x".to_string()]);
    names.zip(found.iter().map(|found| found.read(gpu()).unwrap())).collect()
}

/// The cases of the stored file.
pub(super) fn cases() -> Vec<Json> {
    serde_json::from_str(include_str!("../../data/normalisations.json")).unwrap()
}

/// The parameters of a case, under PyTorch's names.
pub(super) fn loaded(case: &Json, layer: &dyn Layer) -> Parameters {
    let parameters = Parameters::initial(gpu(), layer, 1).unwrap();
    let given = case["parameters"].as_object().unwrap();
    let mut names: Vec<&str> = given.keys().map(String::as_str).collect();
    let mut own: Vec<&str> = parameters.names().collect();
    names.sort_unstable();
    own.sort_unstable();
    assert_eq!(names, own);
    for (name, tensor) in given {
        assert_eq!(sizes(&tensor["shape"]), parameters.tensor(name).unwrap().shape(), "{name}");
        parameters.write(name, &narrow(&numbers(&tensor["data"]))).unwrap();
    }
    parameters
}

#[test]
fn every_step_has_the_numbers_of_pytorch() {
    let cases = cases();
    assert_eq!(cases.len(), 18);
    for case in &cases {
        let at = format!("{} {} {} {}", case["how"], case["kind"], case["hooks"], case["axis"]);
        let layer = layer(case);
        let parameters = loaded(case, &*layer);
        let (shape, x) = (sizes(&case["x_shape"]), narrow(&numbers(&case["x"])));
        for step in case["steps"].as_array().unwrap() {
            let y = output(&*layer, &parameters, &shape, &x, step["training"] == true);
            expect_close(&y, &numbers(&step["y"]), 5e-6, &at);
            for (name, state) in step["states"].as_object().unwrap() {
                expect_close(&parameters.read(name).unwrap(), &numbers(state), 1e-6, &format!("{at}: {name}"));
            }
            // The states are those of the step, so that an evaluation has its gradients.
            let found = gradients(&*layer, &parameters, &shape, &x);
            let by = step["gradients"].as_object().unwrap().iter().map(|(name, wanted)| (name.as_str(), wanted));
            for (name, wanted) in by.chain([("x", &step["x_gradient"])]) {
                let wanted = numbers(wanted);
                let largest = wanted.iter().fold(0f64, |largest, number| largest.max(number.abs()));
                expect_close(&found[name], &wanted, 1e-5 * largest, &format!("{at}: gradient by {name}"));
            }
        }
    }
}

/// A training step divides the product where the product is smaller than the weight. Both ways differ by the roundings
/// of their sums, of fewer than 2^8 terms: 2^8 · 2^-24.
#[test]
fn a_training_step_has_the_output_and_gradients_of_an_evaluation() {
    for generation in [Generation::Parametrizations, Generation::Hooks] {
        for batch in [2, 9] {
            let how = SpectralNormalisation { generation, ..SpectralNormalisation::default() };
            let layer = Linear::new(6, 5).parametrised(how);
            let parameters = Parameters::initial(gpu(), &layer, 3).unwrap();
            let x: Vec<f32> = (0..batch * 6).map(|index| ((index * 7 % 11) as f32 - 5.0) / 4.0).collect();
            let before: Vec<_> = parameters.names().map(|name| parameters.read(name).unwrap()).collect();
            let y = output(&layer, &parameters, &[batch, 6], &x, true);
            let wanted = gradients(&layer, &parameters, &[batch, 6], &x);
            let evaluated = output(&layer, &parameters, &[batch, 6], &x, false);
            parameters.names().zip(&before).for_each(|(name, before)| parameters.write(name, before).unwrap());
            let found = gradients_in(true, &layer, &parameters, &[batch, 6], &x);
            let wide = |numbers: &[f32]| numbers.iter().map(|number| f64::from(*number)).collect::<Vec<_>>();
            expect_close(&y, &wide(&evaluated), 1.6e-5, "output");
            for (name, wanted) in &wanted {
                let largest = wanted.iter().fold(0f32, |largest, number| largest.max(number.abs()));
                expect_close(&found[name], &wide(wanted), 1.6e-5 * f64::from(largest), name);
            }
        }
    }
}

#[test]
fn zero_weights_stay_zero_and_come_back() {
    for divisor in [Divisor::Estimate, Divisor::Converged, Divisor::Probable { delta: 1e-6 }, Divisor::Certified] {
        let layer =
            Linear::new(5, 4).parametrised(SpectralNormalisation { divisor, ..SpectralNormalisation::default() });
        let parameters = Parameters::initial(gpu(), &layer, 3).unwrap();
        let names: Vec<String> = parameters.names().map(str::to_string).collect();
        let first = parameters.read(&names[0]).unwrap();
        parameters.write(&names[0], &[0.0; 20]).unwrap();
        let y = output(&layer, &parameters, &[1, 5], &[1.0; 5], true);
        assert_eq!(y, parameters.read("bias").unwrap(), "{divisor:?}");
        assert!(gradients(&layer, &parameters, &[1, 5], &[1.0; 5]).values().flatten().all(|slope| slope.is_finite()));
        parameters.write(&names[0], &first).unwrap();
        for _ in 0..60 {
            output(&layer, &parameters, &[1, 5], &[1.0; 5], true);
        }
        let bounds = layer.lipschitz("", &parameters).unwrap();
        assert!((bounds.lower - 1.0).abs() < 1e-3, "{divisor:?}: {bounds}");
    }
    let layer = Linear::new(3, 2).parametrised(WeightNormalisation::default());
    let parameters = Parameters::initial(gpu(), &layer, 3).unwrap();
    parameters.write("parametrizations.weight.original1", &[1.0, 2.0, 2.0, 0.0, 0.0, 0.0]).unwrap();
    parameters.write("parametrizations.weight.original0", &[3.0, 5.0]).unwrap();
    let y = output(&layer, &parameters, &[1, 3], &[1.0; 3], true);
    let bias = parameters.read("bias").unwrap();
    expect_close(&y, &[5.0 + f64::from(bias[0]), f64::from(bias[1])], 1e-6, "a zero row");
}

#[test]
fn bounded_weights_are_at_most_one_and_small_ones_stay_under_a_cap() {
    for divisor in [Divisor::Probable { delta: 1e-6 }, Divisor::Certified] {
        for (rows, cols, seed) in [(1, 1, 1), (4, 5, 2), (30, 20, 3)] {
            let how = SpectralNormalisation { divisor, ..SpectralNormalisation::default() };
            let layer = Linear::new(cols, rows).parametrised(how);
            let parameters = Parameters::initial(gpu(), &layer, seed).unwrap();
            let bounds = layer.lipschitz("", &parameters).unwrap();
            assert!(bounds.upper <= 1.0 && bounds.lower > 0.999, "{divisor:?}, {rows} x {cols}: {bounds}");
        }
    }
    let how = SpectralNormalisation { divisor: Divisor::Certified, cap: Some(0.5), ..SpectralNormalisation::default() };
    let layer = Linear::new(3, 3).parametrised(how);
    let parameters = Parameters::initial(gpu(), &layer, 4).unwrap();
    let original = "parametrizations.weight.original";
    for (size, wanted) in [(0.25f32, 0.25), (2.0, 0.5)] {
        let entries: Vec<f32> = (0..9).map(|index| if index % 4 == 0 { size } else { 0.0 }).collect();
        parameters.write(original, &entries).unwrap();
        let bounds = layer.lipschitz("", &parameters).unwrap();
        assert!((bounds.lower - wanted).abs() < 1e-4 && bounds.upper <= 0.5, "{size}: {bounds}");
    }
}

#[test]
fn options_that_mean_nothing_are_errors() {
    let spectral = SpectralNormalisation::default;
    for (how, words) in [
        (SpectralNormalisation { axis: 2, ..spectral() }, "axis is 2"),
        (SpectralNormalisation { iterations: 0, ..spectral() }, "iterations is 0"),
        (SpectralNormalisation { cap: Some(0.0), ..spectral() }, "cap is 0"),
    ] {
        let layer = Linear::new(3, 2).parametrised(how);
        let error = Parameters::initial(gpu(), &layer, 0).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let layer = Linear::new(3, 2).parametrised(WeightNormalisation { axis: Some(2), ..WeightNormalisation::default() });
    assert!(Parameters::initial(gpu(), &layer, 0).unwrap_err().to_string().contains("axis is 2"));
}
