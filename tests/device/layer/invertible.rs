//! Invertible residual blocks: the demonstration's numbers, inverses within their bounds, and visible failures.

use opnorm::bound::Guarantee;
use opnorm::layer::{
    Activation, Conv2d, Divisor, Inverse, InvertibleNetwork, InvertibleResidual, Layer, Linear, LogDeterminant,
    Parameters, Scope, Sequential, SpectralNormalisation,
};
use opnorm::solve::fixed_point::{Anderson, Status};
use opnorm::tape::Tape;
use opnorm::tensor::{Conv2dOptions, Tensor};

use super::super::matrices::Source;
use super::{expect_close, gpu};

fn normalised(cap: Option<f64>) -> SpectralNormalisation {
    SpectralNormalisation { divisor: Divisor::Certified, cap, ..SpectralNormalisation::default() }
}

fn tensor(shape: &[usize], data: &[f32]) -> Tensor {
    Tensor::from_slice(gpu(), shape, data).unwrap()
}

fn normal(source: &mut Source, count: usize) -> Vec<f32> {
    (0..count).map(|_| source.normal() as f32).collect()
}

#[test]
fn the_borderline_block_is_reported_and_the_scaled_one_inverted() {
    let a = [-0.4318, 0.1616, -0.1790, -0.1238, 0.4865, -0.2384, 0.3, -0.2, 0.1];
    for (cap, is_borderline) in [(None, true), (Some(0.7), false)] {
        let divisor = if is_borderline { Divisor::Converged } else { Divisor::Certified };
        let how = SpectralNormalisation { divisor, ..normalised(cap) };
        let linear = Linear::new(3, 3).without_bias().parametrised(how);
        let network = InvertibleNetwork::new().then(InvertibleResidual::new(linear));
        let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
        parameters.write("0.parametrizations.weight.original", &a).unwrap();
        let mut program = network.prepare("", &parameters, &[1, 3]).unwrap();
        let y = program.forward(&tensor(&[1, 3], &[1.0; 3])).unwrap();
        let factor = cap.unwrap_or(1.0);
        let wanted = [0.411_159_003_664, 1.162_940_640_794, 1.262_173_195_164].map(|y| 1.0 + factor * (y - 1.0));
        expect_close(&y.read(gpu()).unwrap(), &wanted, 1e-5, "y");
        let upper = program.lipschitz()[0].upper;
        assert!((upper - factor).abs() < 1e-5, "{upper}");
        let inverse = program.inverse(&y).unwrap();
        let error = inverse.items[0].error;
        if upper >= 1.0 {
            assert_eq!((error.upper, error.guarantee), (f64::INFINITY, Guarantee::Lower));
        } else {
            assert!(!is_borderline || error.upper > 1e-3, "a bound just below 1 cannot give an error this small");
        }
        if !is_borderline {
            assert!(inverse.is_converged() && error.upper < 1e-5, "{error}");
            expect_close(&inverse.x().read(gpu()).unwrap(), &[1.0; 3], error.upper + 1e-5, "x");
        }
    }
}

const SIDE: usize = 64;
const BATCH: usize = 32;

/// Three blocks of two layers, each layer with a norm of `norm`, and their weights in `f64`.
fn blocks(norm: f64) -> (InvertibleNetwork, Parameters) {
    let linear = || Linear::new(SIDE, SIDE);
    let inner = || Sequential::new().then(linear()).then(Activation::Elu).then(linear());
    let network = (0..3).fold(InvertibleNetwork::new(), |network, _| network.then(InvertibleResidual::new(inner())));
    let parameters = Parameters::initial(gpu(), &network, 11).unwrap();
    let mut source = Source::new(81);
    for name in parameters.names().filter(|name| name.ends_with("weight")) {
        let dense = source.gaussian(SIDE, SIDE);
        let factor = norm / dense.singular_values()[0];
        parameters.write(name, &dense.scaled(factor as f32).entries).unwrap();
    }
    (network, parameters)
}

/// The inverse in `f64`, by 400 plain steps for each block.
fn exact(parameters: &Parameters, y: &[f32]) -> Vec<f64> {
    let inner = Sequential::new().then(Linear::new(SIDE, SIDE)).then(Activation::Elu).then(Linear::new(SIDE, SIDE));
    let mut point: Vec<f64> = y.iter().copied().map(f64::from).collect();
    for block in (0..3).rev() {
        let tape = Tape::new(gpu());
        let scope = Scope::evaluation(&tape, parameters).unwrap();
        let z = tape.input(&[BATCH, SIDE]).unwrap();
        let g = inner.apply(&scope, &block.to_string(), &z).unwrap();
        let program = tape.compile(&scope.inputs(&[&z]), &[g]).unwrap();
        let weights: Vec<Vec<f64>> = parameters
            .names()
            .map(|name| parameters.read(name).unwrap().into_iter().map(f64::from).collect())
            .collect();
        let mut x = point.clone();
        for _ in 0..60 {
            let given: Vec<Vec<f64>> = [vec![x.clone()], weights.clone()].concat();
            let g = program.evaluate(&given).unwrap().swap_remove(0);
            x = point.iter().zip(&g).map(|(y, g)| y - g).collect();
        }
        point = x;
    }
    point
}

/// The distance of each item from what is exact.
fn errors(found: &Inverse, exact: &[f64]) -> Vec<f64> {
    let x = found.x().read(gpu()).unwrap();
    let squares = x.iter().zip(exact).map(|(x, exact)| (f64::from(*x) - exact).powi(2)).collect::<Vec<_>>();
    squares.chunks(SIDE).map(|item| item.iter().sum::<f64>().sqrt()).collect()
}

#[test]
fn every_bound_is_above_the_error_of_an_inverse_in_f64() {
    let (network, parameters) = blocks(0.8);
    let mut program = network.prepare("", &parameters, &[BATCH, SIDE]).unwrap();
    let x = tensor(&[BATCH, SIDE], &normal(&mut Source::new(82), BATCH * SIDE));
    let y = program.forward(&x).unwrap();
    let exact = exact(&parameters, &y.read(gpu()).unwrap());
    for relative in [1e-1, 1e-3, 1e-7] {
        program.solver.relative = relative;
        let inverse = program.inverse(&y).unwrap();
        assert!(inverse.is_converged());
        let mut errors = errors(&inverse, &exact);
        for (item, error) in errors.iter().enumerate() {
            let bounds = inverse.items[item].error;
            assert!(bounds.lower <= *error && *error <= bounds.upper, "item {item}: {error:e}, {bounds}");
            assert_eq!(inverse.items[item].blocks.len(), 3);
        }
        errors.sort_by(f64::total_cmp);
        let (median, worst) = (errors[BATCH / 2], errors[BATCH - 1]);
        println!("tolerance {relative:e}: median error {median:e}, largest {worst:e}");
        // |x| is about 8, and an error of a block is multiplied by at most 1 / (1 - 0.64) in each of two blocks.
        assert!(worst <= 8.0 * relative * (2.8 + 2.8f64.powi(2) + 2.8f64.powi(3)) * 2.0, "{worst:e}");
        assert!(relative > 1e-7 || median <= 1e-6, "{median:e}");
    }
}

#[test]
fn backward_undoes_the_inverse_backward() {
    let (network, parameters) = blocks(0.8);
    let mut program = network.prepare("", &parameters, &[BATCH, SIDE]).unwrap();
    let mut source = Source::new(83);
    let mut draw = || tensor(&[BATCH, SIDE], &normal(&mut source, BATCH * SIDE));
    let (y, v) = (draw(), draw());
    let inverse = program.inverse(&y).unwrap();
    let found = program.inverse_backward(&inverse, &v).unwrap();
    assert!(inverse.is_converged() && found.is_converged());
    let again = program.backward(inverse.x(), found.x()).unwrap().read(gpu()).unwrap();
    // |Jᵀ w - v| <= ‖J‖ |w - J^-T v|, with ‖J‖ <= 1.64^3; products in f32 round by some units of 2^-24 √64 |w|.
    let wanted: Vec<f64> = v.read(gpu()).unwrap().into_iter().map(f64::from).collect();
    for (item, (again, wanted)) in again.chunks(SIDE).zip(wanted.chunks(SIDE)).enumerate() {
        let error: f64 = again.iter().zip(wanted).map(|(again, wanted)| (f64::from(*again) - wanted).powi(2)).sum();
        let allowed = 1.64f64.powi(3) * (found.items[item].error.upper + 64.0 * 2f64.powi(-24) * 8.0);
        assert!(error.sqrt() <= allowed && allowed < 1e-3, "item {item}: {:e}, {allowed:e}", error.sqrt());
    }
}

#[test]
fn log_determinants_are_those_of_the_derivative_in_f64() {
    let (network, parameters) = blocks(0.8);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let x = tape.input(&[2, SIDE]).unwrap();
    let (y, volume) = network.apply_with_log_determinant(&scope, "", &x, &LogDeterminant::Exact).unwrap();
    let tangent = tape.input(&[2, SIDE]).unwrap();
    let along = tape.jvp(&[&y], &[&x], &[&tangent]).unwrap().swap_remove(0);
    let values = scope.inputs(&[&x]);
    let found = tape.compile(&values, &[volume.value]).unwrap();
    let product = tape.compile(&[&values[..], &[&tangent]].concat(), &[along]).unwrap();
    let point = normal(&mut Source::new(86), 2 * SIDE);
    let found = found.run(&parameters.tensors(&[&tensor(&[2, SIDE], &point)])).unwrap()[0].read(gpu()).unwrap();
    let wide = |data: &[f32]| data.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let weights: Vec<Vec<f64>> = parameters.names().map(|name| wide(&parameters.read(name).unwrap())).collect();
    let given = [vec![wide(&point)], weights].concat();
    let columns: Vec<Vec<f64>> = (0..SIDE)
        .map(|col| {
            let unit = (0..2 * SIDE).map(|place| if place % SIDE == col { 1.0 } else { 0.0 }).collect();
            product.evaluate(&[&given[..], &[unit]].concat()).unwrap().swap_remove(0)
        })
        .collect();
    for (item, found) in found.iter().enumerate() {
        let jacobian = faer::Mat::from_fn(SIDE, SIDE, |row, col| columns[col][item * SIDE + row]);
        let wanted = jacobian.determinant().abs().ln();
        // A pivot is off by some roundings of |J| <= 1.64 of a block, divided by sigma_min >= 0.36, and 3 · 64 add up.
        let allowed = 192.0 * 8.0 * 2f64.powi(-24) * 1.64 / 0.36;
        assert!((f64::from(*found) - wanted).abs() <= allowed, "item {item}: {found}, {wanted}, {allowed:e}");
    }
}

#[test]
fn convolutions_are_inverted_with_a_cap_for_their_window() {
    let sliding = Conv2dOptions { padding: [1, 1], ..Conv2dOptions::default() };
    // Nine elements of a window see a pixel, so that the norm is at most √9 times that of the weight.
    let conv =
        |from, to| Conv2d::new(from, to, [3, 3]).sliding(sliding.clone()).parametrised(normalised(Some(0.9 / 3.0)));
    let inner = || Sequential::new().then(conv(2, 4)).then(Activation::Relu).then(conv(4, 2));
    let network =
        InvertibleNetwork::new().then(InvertibleResidual::new(inner())).then(InvertibleResidual::new(inner()));
    let parameters = Parameters::initial(gpu(), &network, 3).unwrap();
    let shape = [3, 2, 6, 5];
    let mut program = network.prepare("", &parameters, &shape).unwrap();
    assert!(program.lipschitz().iter().all(|bounds| bounds.upper <= 0.81 + 1e-6), "{:?}", program.lipschitz());
    let x = normal(&mut Source::new(84), 180);
    let inverse = program.inverse(&program.forward(&tensor(&shape, &x)).unwrap()).unwrap();
    assert!(inverse.is_converged() && inverse.x().shape() == shape);
    let x: Vec<f64> = x.into_iter().map(f64::from).collect();
    expect_close(&inverse.x().read(gpu()).unwrap(), &x, 1e-4, "x");
}

#[test]
fn failures_are_seen_and_nothing_is_zero() {
    let (network, parameters) = blocks(4.0);
    let mut program = network.prepare("", &parameters, &[BATCH, SIDE]).unwrap();
    program.solver = Anderson { limit: 3, ..Anderson::default() };
    assert!(program.lipschitz().iter().all(|bounds| bounds.upper > 1.0));
    let v = tensor(&[BATCH, SIDE], &normal(&mut Source::new(85), BATCH * SIDE));
    let inverse = program.inverse(&v).unwrap();
    let back = program.inverse_backward(&inverse, &v).unwrap();
    for item in inverse.items.iter().chain(&back.items) {
        assert_eq!((item.status, item.error.upper), (Status::MaxIterations, f64::INFINITY));
    }
    assert!(back.x().read(gpu()).unwrap().iter().all(|element| *element != 0.0));
    assert!(program.inverse(&tensor(&[SIDE], &[0.0; SIDE])).is_err());
    let wide = InvertibleNetwork::new().then(InvertibleResidual::new(Linear::new(3, 4)));
    let parameters = Parameters::initial(gpu(), &wide, 1).unwrap();
    assert!(wide.prepare("", &parameters, &[1, 3]).is_err(), "a block that changes the shape");
}

#[test]
fn a_network_without_blocks_is_the_identity() {
    let network = InvertibleNetwork::new();
    let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
    let mut program = network.prepare("", &parameters, &[2, 3]).unwrap();
    let x = tensor(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let inverse = program.inverse(&program.forward(&x).unwrap()).unwrap();
    assert_eq!(inverse.x().read(gpu()).unwrap(), x.read(gpu()).unwrap());
    assert_eq!((inverse.items.len(), inverse.items[0].error.upper), (2, 0.0));
    assert_eq!(network.lipschitz("", &parameters).unwrap().upper, 1.0);
}
