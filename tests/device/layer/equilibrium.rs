//! Equilibrium layers: the closed form of a linear one, gradients, bounds and visible failures.

use opnorm::bound::{Arithmetic, Bounds, Guarantee};
use opnorm::layer::{
    Activation, Conv2d, Equilibrium, EquilibriumGradient, Layer, Linear, Parameters, Scope, SpectralNormalisation,
};
use opnorm::norm::spectral_norm;
use opnorm::solve::fixed_point::{Anderson, Banach, Status};
use opnorm::solve::{Gmres, Implicit};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::{Conv2dOptions, Tensor};
use opnorm::{Error, Result};

use super::super::matrices::{Dense, Source};
use super::{expect_close, gpu, output};

pub(super) const SIZE: usize = 5;

/// A matrix of some spectral norm.
pub(super) fn scaled(seed: u64, norm: f64) -> Dense {
    let dense = Source::new(seed).gaussian(SIZE, SIZE);
    let factor = norm / dense.singular_values()[0];
    dense.scaled(factor as f32)
}

pub(super) fn normal(seed: u64, count: usize) -> Vec<f32> {
    let mut source = Source::new(seed);
    (0..count).map(|_| source.normal() as f32).collect()
}

/// z = x - f(z), with f a linear layer.
pub(super) fn subtracting() -> Equilibrium {
    Equilibrium::new(|parts, z, x| x.subtract(&parts.apply("f", z)?)).with("f", Linear::new(SIZE, SIZE))
}

/// The parameters of a layer, its matrix given.
pub(super) fn with_matrix(layer: &dyn Layer, name: &str, matrix: &Dense) -> Parameters {
    let parameters = Parameters::initial(gpu(), layer, 5).unwrap();
    parameters.write(name, &matrix.entries).unwrap();
    parameters
}

/// (I + W)⁻¹ as rows, by the Neumann series in `f64`.
fn inverse(matrix: &Dense) -> Vec<Vec<f64>> {
    let unit = |row: usize, col: usize| if row == col { 1.0 } else { 0.0 };
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for col in 0..SIZE {
        let mut x: Vec<f64> = vec![0.0; SIZE];
        for _ in 0..400 {
            let image = |row: usize| -> f64 {
                (0..SIZE).map(|inner| f64::from(matrix.entries[row * SIZE + inner]) * x[inner]).sum()
            };
            x = (0..SIZE).map(|row| unit(row, col) - image(row)).collect();
        }
        columns.push(x);
    }
    (0..SIZE).map(|row| (0..SIZE).map(|col| columns[col][row]).collect()).collect()
}

/// The outputs of a program of a layer at x.
pub(super) fn outputs(
    scope: &Scope,
    parameters: &Parameters,
    x: (&Value, &[f32]),
    outputs: &[&Value],
) -> Result<Vec<Vec<f32>>> {
    let program = scope.tape().compile(&scope.inputs(&[x.0]), outputs)?;
    let found = program.run(&parameters.tensors(&[&Tensor::from_slice(gpu(), x.0.shape(), x.1)?]))?;
    found.iter().map(|found| found.read(gpu())).collect()
}

#[test]
fn a_linear_equilibrium_has_its_closed_form_jacobian_and_vjp() {
    let (layer, matrix) = (subtracting(), scaled(31, 0.9));
    let parameters = with_matrix(&layer, "f.weight", &matrix);
    let bias = parameters.read("f.bias").unwrap();
    let solved = inverse(&matrix);
    let x = normal(32, SIZE);
    let right: Vec<f64> = solved
        .iter()
        .map(|row| row.iter().zip(x.iter().zip(&bias)).map(|(entry, (x, b))| entry * f64::from(x - b)).sum())
        .collect();
    // One vector, without a batch.
    expect_close(&output(&layer, &parameters, &[SIZE], &x, false), &right, 1e-5, "z");
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let input = tape.input(&[SIZE, SIZE]).unwrap();
    let z = layer.apply(&scope, "", &input).unwrap();
    let mut identity = vec![0.0; SIZE * SIZE];
    identity.iter_mut().step_by(SIZE + 1).for_each(|entry| *entry = 1.0);
    let identity = tape.constant(&Tensor::from_slice(gpu(), &[SIZE, SIZE], &identity).unwrap()).unwrap();
    // Five items with the same x: an item for each direction.
    let along = tape.jvp(&[&z], &[&input], &[&identity]).unwrap().remove(0);
    let back = tape.vjp(&[&z], &[&input], &[&identity]).unwrap().remove(0);
    let found = outputs(&scope, &parameters, (&input, &x.repeat(SIZE)), &[&along, &back]).unwrap();
    let rows: Vec<f64> = solved.concat();
    let columns: Vec<f64> = (0..SIZE * SIZE).map(|place| solved[place % SIZE][place / SIZE]).collect();
    expect_close(&found[0], &columns, 1e-5, "dz/dx");
    expect_close(&found[1], &rows, 1e-5, "(I + W)^-T g");
    assert!(layer.implicit().last_forward().iter().all(|item| item.status == Status::Converged));
    assert_eq!(layer.implicit().last_backward().len(), SIZE);
}

#[test]
fn the_derivative_of_an_equilibrium_is_an_operator() {
    let (layer, matrix) = (subtracting(), scaled(47, 0.7));
    let parameters = with_matrix(&layer, "f.weight", &matrix);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let input = tape.input(&[2, SIZE]).unwrap();
    let z = layer.apply(&scope, "", &input).unwrap();
    let x = Tensor::from_slice(gpu(), &[2, SIZE], &normal(48, 2 * SIZE)).unwrap();
    let values = scope.inputs(&[&input]);
    let point: Vec<(&Value, &Tensor)> = values.into_iter().zip(parameters.tensors(&[&x])).collect();
    let norms = spectral_norm(&tape.linearize(&z, &input, &point).unwrap()).unwrap();
    let solved = inverse(&matrix).concat();
    let right = Dense { rows: SIZE, cols: SIZE, entries: solved.iter().map(|entry| *entry as f32).collect() };
    for norm in &norms {
        assert!((norm.sigma / right.singular_values()[0] - 1.0).abs() < 1e-4, "{}", norm.sigma);
    }
}

#[test]
fn a_layer_that_does_not_converge_says_so() {
    let banach = Implicit::new(Banach::default(), Gmres::default());
    // Steps grow for W = 2 I; z = x + z has no solution for W = -I, by any method.
    for (factor, layer) in [(2.0, subtracting().solved_by(banach)), (-1.0, subtracting())] {
        let mut entries = vec![0.0; SIZE * SIZE];
        entries.iter_mut().step_by(SIZE + 1).for_each(|entry| *entry = factor);
        let parameters = Parameters::initial(gpu(), &layer, 5).unwrap();
        parameters.write("f.weight", &entries).unwrap();
        let tape = Tape::new(gpu());
        let scope = Scope::evaluation(&tape, &parameters).unwrap();
        let input = tape.input(&[SIZE]).unwrap();
        let z = layer.apply(&scope, "", &input).unwrap();
        let error = outputs(&scope, &parameters, (&input, &normal(33, SIZE)), &[&z]).unwrap_err();
        assert!(matches!(error, Error::NotConverged { item: 0, .. }), "{error}");
        assert_ne!(layer.implicit().last_forward()[0].status, Status::Converged);
    }
    let misnamed = Equilibrium::new(|parts, z, x| x.subtract(&parts.apply("g", z)?)).with("f", Linear::new(2, 2));
    let parameters = Parameters::initial(gpu(), &misnamed, 5).unwrap();
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let error = misnamed.apply(&scope, "", &tape.input(&[2]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("`g`"), "{error}");
}

/// tanh(W z + U x + b), from 3 numbers to 5.
pub(super) fn additive() -> (Equilibrium, Parameters) {
    let state = Linear::new(SIZE, SIZE).without_bias();
    let layer = Equilibrium::additive(state, Linear::new(3, SIZE), Activation::Tanh).of_shape(&[SIZE]);
    let parameters = with_matrix(&layer, "state.weight", &scaled(34, 0.8));
    (layer, parameters)
}

#[test]
fn gradients_of_parameters_are_those_of_differences() {
    let (layer, parameters) = additive();
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let input = tape.input(&[2, 3]).unwrap();
    let z = layer.apply(&scope, "", &input).unwrap();
    assert_eq!(z.shape(), [2, SIZE]);
    let x: Vec<f64> = normal(35, 6).into_iter().map(f64::from).collect();
    let weights: Vec<Vec<f64>> =
        parameters.names().map(|name| parameters.read(name).unwrap().into_iter().map(f64::from).collect()).collect();
    let at: Vec<&[f64]> = [&x[..]].into_iter().chain(weights.iter().map(Vec::as_slice)).collect();
    let report = tape.check_gradients(&[&z], &scope.inputs(&[&input]), &at).unwrap();
    assert_eq!(report.rows.len(), 4);
    assert!(report.agrees(), "{report}");
}

#[test]
fn convolutions_in_an_equilibrium_have_the_gradient_of_unrolled_steps() {
    let around = Conv2dOptions { padding: [1, 1], ..Conv2dOptions::default() };
    let conv = || Conv2d::new(2, 2, [3, 3]).sliding(around.clone());
    let layer = Equilibrium::additive(conv(), conv(), Activation::Tanh);
    let parameters = Parameters::initial(gpu(), &layer, 6).unwrap();
    let smaller: Vec<f32> = parameters.read("state.weight").unwrap().iter().map(|entry| 0.4 * entry).collect();
    parameters.write("state.weight", &smaller).unwrap();
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let input = tape.input(&[2, 2, 4, 4]).unwrap();
    let z = layer.apply(&scope, "", &input).unwrap();
    let unrolled = (0..40).fold(tape.fill(&[2, 2, 4, 4], 0.0).unwrap(), |z, _| {
        let sum = conv().apply(&scope, "state", &z).unwrap();
        sum.add(&conv().apply(&scope, "input", &input).unwrap()).unwrap().tanh().unwrap()
    });
    let weight = scope.value("state.weight").unwrap();
    let slopes = |z: &Value| tape.grad(&z.square().unwrap().sum(&[0, 1, 2, 3]).unwrap(), &[weight]).unwrap().remove(0);
    let (found, right) = (slopes(&z), slopes(&unrolled));
    let found = outputs(&scope, &parameters, (&input, &normal(36, 64)), &[&z, &unrolled, &found, &right]).unwrap();
    for pair in found.chunks(2) {
        let right: Vec<f64> = pair[1].iter().copied().map(f64::from).collect();
        let largest = right.iter().fold(0f64, |most, entry| entry.abs().max(most));
        expect_close(&pair[0], &right, 1e-4 * largest, "unrolled");
    }
}

#[test]
fn phantom_gradients_tend_to_the_exact_gradient() {
    let x = normal(37, SIZE);
    let matrix = scaled(38, 0.5);
    let gradient = |gradient: EquilibriumGradient| -> Vec<f32> {
        let layer = subtracting().with_gradient(gradient);
        let parameters = with_matrix(&layer, "f.weight", &matrix);
        let tape = Tape::new(gpu());
        let scope = Scope::evaluation(&tape, &parameters).unwrap();
        let input = tape.input(&[SIZE]).unwrap();
        let z = layer.apply(&scope, "", &input).unwrap();
        let slope = tape.grad(&z.sum(&[0]).unwrap(), &[&input]).unwrap().remove(0);
        outputs(&scope, &parameters, (&input, &x), &[&slope]).unwrap().remove(0)
    };
    // One step is z' = x - W z with z fixed, so that g is its own cotangent.
    expect_close(&gradient(EquilibriumGradient::Phantom { steps: 1, damping: 1.0 }), &[1.0; SIZE], 1e-6, "1 step");
    let exact: Vec<f64> = gradient(EquilibriumGradient::Implicit).into_iter().map(f64::from).collect();
    let norm = |vector: &[f64]| vector.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
    for (steps, damping) in [(2u8, 1.0), (4, 0.5), (16, 0.8), (40, 1.0)] {
        let found = gradient(EquilibriumGradient::Phantom { steps: steps.into(), damping });
        let apart: Vec<f64> = found.iter().zip(&exact).map(|(found, exact)| f64::from(*found) - exact).collect();
        let allowed = (1.0f64 - damping * 0.5).powi(steps.into()) * norm(&exact);
        assert!(norm(&apart) <= allowed + 1e-5, "{steps}: {} above {allowed}", norm(&apart));
        assert!(steps > 4 || norm(&apart) > 1e-3, "few steps are exact");
    }
    let (tape, layer) = (Tape::new(gpu()), subtracting());
    let none = layer.with_gradient(EquilibriumGradient::Phantom { steps: 0, damping: 1.0 });
    let scope = Scope::evaluation(&tape, &with_matrix(&none, "f.weight", &matrix)).unwrap();
    assert!(matches!(none.apply(&scope, "", &tape.input(&[SIZE]).unwrap()), Err(Error::InvalidOption { .. })));
}

#[test]
fn the_bound_is_above_every_slope_and_keeps_its_guarantee() {
    let (layer, parameters) = additive();
    let bounds = layer.lipschitz("", &parameters).unwrap();
    assert!(matches!(bounds.guarantee, Guarantee::Certified { .. }), "{bounds}");
    let of_input = Linear::new(3, SIZE).lipschitz("input", &parameters).unwrap();
    assert!((bounds.upper - of_input.upper / 0.2).abs() < 1e-3 * bounds.upper, "{bounds}");
    let (x, moved) = (normal(42, 96), normal(43, 96));
    let [at, there] = [&x, &moved].map(|x| output(&layer, &parameters, &[32, 3], x, false));
    let norm = |left: &[f32], right: &[f32]| -> f64 {
        left.iter().zip(right).map(|(left, right)| f64::from(left - right).powi(2)).sum::<f64>().sqrt()
    };
    for item in 0..32 {
        let apart = norm(&at[item * SIZE..][..SIZE], &there[item * SIZE..][..SIZE]);
        assert!(apart <= bounds.upper * norm(&x[item * 3..][..3], &moved[item * 3..][..3]) + 1e-5);
    }
    parameters.write("state.weight", &scaled(34, 1.01).entries).unwrap();
    assert_eq!(layer.lipschitz("", &parameters).unwrap(), Bounds::NONE);
    let matrix = scaled(44, 0.5);
    let parameters = with_matrix(&subtracting(), "f.weight", &matrix);
    assert_eq!(subtracting().lipschitz("", &parameters).unwrap(), Bounds::NONE);
    let one = Bounds { lower: 1.0, upper: 1.0, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } };
    let known = subtracting().bounded(move |parts| Ok([parts.lipschitz("f")?, one]));
    assert!((known.lipschitz("", &parameters).unwrap().upper - 2.0).abs() < 1e-4);
}

#[test]
fn a_training_scope_updates_the_states_of_the_layers_once() {
    let state = Linear::new(SIZE, SIZE).parametrised(SpectralNormalisation::default());
    // Half the norm of the state, so that f contracts.
    let layer = Equilibrium::new(|parts, z, x| parts.apply("state", &z.scale(0.5)?)?.add(x)?.tanh())
        .with("state", state)
        .solved_by(Implicit::new(Anderson::default(), Gmres { relative: 1e-5, ..Gmres::default() }));
    let parameters = Parameters::initial(gpu(), &layer, 9).unwrap();
    let before = parameters.read("state.parametrizations.weight.0._u").unwrap();
    let tape = Tape::new(gpu());
    let scope = Scope::training(&tape, &parameters).unwrap();
    layer.apply(&scope, "", &tape.input(&[SIZE]).unwrap()).unwrap();
    assert_eq!(scope.updates().len(), 2);
    let x = normal(45, SIZE);
    let trained = output(&layer, &parameters, &[SIZE], &x, true);
    assert_ne!(parameters.read("state.parametrizations.weight.0._u").unwrap(), before);
    // The next states give the weight that the step used.
    let after: Vec<f64> = output(&layer, &parameters, &[SIZE], &x, false).into_iter().map(f64::from).collect();
    expect_close(&trained, &after, 1e-5, "an evaluation after the step");
}
