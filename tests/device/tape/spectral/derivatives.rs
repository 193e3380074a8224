//! Derivatives of every order, on the host against differences, and on the device against the host.

use faer::Mat;
use opnorm::Result;
use opnorm::norm::JacobianSpectralNorm;
use opnorm::tape::{Program, Tape, Value};
use opnorm::tensor::Tensor;

use crate::gpu;
use crate::tape::{draw, largest, narrowed, seeded};

/// Matrices whose singular values stand apart: 4, 2.5, 1.5, ... times a random rotation of each side.
fn apart(shape: &[usize], seed: u64) -> Vec<f64> {
    let [batch @ .., rows, cols] = shape else { return Vec::new() };
    let mut random = seeded(seed);
    let items: usize = batch.iter().product();
    let mut entries = Vec::new();
    for _ in 0..items {
        let mut rotation = |size: usize| {
            let drawn = draw(&mut random, size * size);
            Mat::from_fn(size, size, |row, col| drawn[row * size + col]).qr().compute_Q()
        };
        let (left, right) = (rotation(*rows), rotation(*cols));
        let values =
            Mat::from_fn(*rows, *cols, |row, col| if row == col { 4.0 * 0.61f64.powf(row as f64) } else { 0.0 });
        let product = left * values * right;
        for row in 0..*rows {
            entries.extend((0..*cols).map(|col| f64::from(product[(row, col)] as f32)));
        }
    }
    entries
}

fn close(name: &str, found: &[f64], expected: &[f64], bound: f64) -> f64 {
    let scale = 1.0 + largest(expected);
    assert_eq!(found.len(), expected.len(), "{name}");
    let worst =
        found.iter().zip(expected).map(|(found, expected)| (found - expected).abs() / scale).fold(0.0, f64::max);
    assert!(worst < bound, "{name}: {worst:e} of {scale}");
    worst
}

type Build = fn(&Value) -> Result<Value>;

/// Functions to be differentiated: numbers made of norms and vectors. The triplet goes in whole, so that vectors have
/// derivatives too.
fn functions() -> Vec<(&'static str, Build)> {
    vec![
        ("spectral norm", |a| a.spectral_norm()),
        ("singular triplet", |a| {
            let (u, sigma, v) = a.singular_triplet()?;
            let last = u.shape().len() - 1;
            let weights = |value: &Value| {
                let size = value.shape()[last];
                let places: Vec<f32> = (0..size).map(|place| 0.5 + place as f32).collect();
                value.tape().constant(&Tensor::from_slice(gpu(), &[size], &places)?)
            };
            let (left, right) = (u.multiply(&weights(&u)?)?.sum(&[last])?, v.multiply(&weights(&v)?)?.sum(&[last])?);
            left.multiply(&right)?.add(&sigma.sin()?)
        }),
        ("Ky Fan norm", |a| a.ky_fan_norm(2)),
        ("nuclear norm", |a| a.nuclear_norm()),
    ]
}

struct Case {
    program: Program,
    shape: Vec<usize>,
}

impl Case {
    /// The function, its JVP, its gradient, the JVP of that, and the JVP of this again.
    fn new(build: Build, shape: &[usize]) -> Self {
        let tape = Tape::new(gpu());
        let (a, e) = (tape.input(shape).unwrap(), tape.input(shape).unwrap());
        let y = build(&a).unwrap();
        let axes: Vec<usize> = (0..y.shape().len()).collect();
        let total = y.sum(&axes).unwrap();
        let along = tape.jvp(&[&total], &[&a], &[&e]).unwrap().remove(0);
        let gradient = tape.grad(&total, &[&a]).unwrap().remove(0);
        let curved = tape.jvp(&[&gradient], &[&a], &[&e]).unwrap().remove(0);
        let third = tape.jvp(&[&curved], &[&a], &[&e]).unwrap().remove(0);
        let back = tape.grad(&along, &[&a]).unwrap().remove(0);
        let program = tape.compile(&[&a, &e], &[total, along, gradient, curved, third, back]).unwrap();
        Self { program, shape: shape.to_vec() }
    }

    fn on_device(&self, a: &[f64], e: &[f64]) -> Result<Vec<Vec<f64>>> {
        let upload = |data: &[f64]| Tensor::from_slice(gpu(), &self.shape, &narrowed(data)).unwrap();
        let results = self.program.run(&[upload(a), upload(e)])?;
        Ok(results.iter().map(|result| result.read(gpu()).unwrap().into_iter().map(f64::from).collect()).collect())
    }
}

#[test]
fn derivatives_to_the_third_order() {
    let mut checked = 0;
    let mut worst = [0f64; 3];
    for (name, build) in functions() {
        for (seed, shape) in [&[3, 3][..], &[5, 3], &[2, 4], &[3, 1], &[1, 1], &[2, 3, 7, 4]].into_iter().enumerate() {
            // With a count of two there must be a third that stands apart: there is none to tell in a single column.
            let name = &format!("{name}, {shape:?}");
            let case = Case::new(build, shape);
            let (a, e) = (apart(shape, seed as u64), draw(&mut seeded(50 + seed as u64), shape.iter().product()));
            let at = |step: f64| -> Vec<Vec<f64>> {
                let moved: Vec<f64> = a.iter().zip(&e).map(|(a, e)| a + step * e).collect();
                case.program.evaluate(&[moved, e.clone()]).unwrap()
            };
            let (here, before, after) = (at(0.0), at(-1e-5), at(1e-5));
            // From the value to its JVP, from the gradient to its own, from that to the next.
            for (function, derivative) in [(0, 1), (2, 3), (3, 4)] {
                let slopes: Vec<f64> = after[function]
                    .iter()
                    .zip(&before[function])
                    .map(|(after, before)| (after - before) / 2e-5)
                    .collect();
                worst[0] = worst[0].max(close(name, &here[derivative], &slopes, 1e-7));
            }
            // The gradient of a JVP is the JVP of the gradient.
            worst[1] = worst[1].max(close(name, &here[5], &here[3], 1e-11));
            let found = case.on_device(&a, &e).unwrap();
            for (order, (found, twin)) in found.iter().zip(&here).enumerate() {
                // Vectors are right to 1e-5; each order multiplies by what a change moves them by, at most 1 / 0.39 a
                // unit here.
                worst[2] = worst[2].max(close(&format!("{name}, {order}"), found, twin, 3e-4));
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 4 * 6 * 6);
    println!("worst difference {:.1e}, symmetry {:.1e}, device {:.1e}", worst[0], worst[1], worst[2]);
}

/// A few triplets of a larger matrix are Lanczos's, and agree with the dense decomposition.
#[test]
fn a_few_triplets_of_a_larger_matrix() {
    let tape = Tape::new(gpu());
    let shape = [2, 40, 33];
    let a = tape.input(&shape).unwrap();
    let norm = a.ky_fan_norm(3).unwrap().sum(&[0]).unwrap();
    let gradient = tape.grad(&norm, &[&a]).unwrap();
    let program = tape.compile(&[&a], &[norm, gradient[0].clone()]).unwrap();
    let data = apart(&shape, 4);
    let expected = program.evaluate(&[&data]).unwrap();
    let found = program.run(&[Tensor::from_slice(gpu(), &shape, &narrowed(&data)).unwrap()]).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        let found: Vec<f64> = found.read(gpu()).unwrap().into_iter().map(f64::from).collect();
        close("Ky Fan norm", &found, expected, 3e-5);
    }
}

/// The derivative of an iteration of power method steps on the tape, and of the norm it converges to.
#[test]
fn the_unrolled_derivative_is_the_implicit_one() {
    let tape = Tape::new(gpu());
    let a = tape.input(&[5, 4]).unwrap();
    let mut v = tape.input(&[4, 1]).unwrap();
    let start = v.clone();
    let norm = |x: &Value| x.square()?.sum(&[0, 1])?.sqrt();
    for _ in 0..60 {
        let u = a.matmul(&v).unwrap();
        let back = a.matmul_tn(&u).unwrap();
        v = back.divide(&norm(&back).unwrap()).unwrap();
    }
    let unrolled = norm(&a.matmul(&v).unwrap()).unwrap();
    let implicit = a.spectral_norm().unwrap();
    let gradients = [&unrolled, &implicit].map(|value| tape.grad(value, &[&a]).unwrap().remove(0));
    let program = tape.compile(&[&a, &start], &[&unrolled, &implicit, &gradients[0], &gradients[1]]).unwrap();
    let (data, first) = (apart(&[5, 4], 9), vec![1.0, 0.5, -0.25, 0.75]);
    let found = program.evaluate(&[data.clone(), first.clone()]).unwrap();
    close("value", &found[0], &found[1], 1e-12);
    close("gradient", &found[2], &found[3], 1e-10);
    let upload = |shape: &[usize], data: &[f64]| Tensor::from_slice(gpu(), shape, &narrowed(data)).unwrap();
    let device = program.run(&[upload(&[5, 4], &data), upload(&[4, 1], &first)]).unwrap();
    for (result, twin) in device.iter().zip(&found) {
        let result: Vec<f64> = result.read(gpu()).unwrap().into_iter().map(f64::from).collect();
        close("device", &result, twin, 3e-5);
    }
}

/// W / ‖W‖₂ is a map that stretches by 1, whatever W is; the norm's derivative is part of the gradient.
#[test]
fn a_normalised_weight_has_norm_one() {
    let tape = Tape::new(gpu());
    let weight = tape.input(&[6, 9]).unwrap();
    let data = draw(&mut seeded(3), 54);
    let values = Tensor::from_slice(gpu(), &[6, 9], &narrowed(&data)).unwrap();
    let samples = Tensor::from_slice(gpu(), &[2, 9], &narrowed(&draw(&mut seeded(5), 18))).unwrap();
    let f = |x: &Value| x.matmul_nt(&weight.divide(&weight.spectral_norm()?)?);
    let found = JacobianSpectralNorm::default().norms(&tape, f, &samples, &[(&weight, &values)]).unwrap();
    for item in found.norms().items() {
        assert!((item.sigma - 1.0).abs() < 1e-5, "{item:?}");
    }
    let gradient = found.gradient(&[&weight]).unwrap()[0].read(gpu()).unwrap();
    assert!(gradient.iter().all(|entry| entry.abs() < 1e-4), "{gradient:?}");
}

/// ⟨∇σ, A⟩ is σ, so that its gradient is ∇σ: the right-hand sides of the systems behind it lie along the singular
/// vectors, but for rounding.
#[test]
fn derivatives_along_the_matrix_itself() {
    for size in [1, 2, 3, 8] {
        let tape = Tape::new(gpu());
        let a = tape.input(&[size, size]).unwrap();
        let sigma = a.spectral_norm().unwrap();
        let slope = tape.grad(&sigma, &[&a]).unwrap().remove(0);
        let along = slope.multiply(&a).unwrap().sum(&[0, 1]).unwrap();
        let again = tape.grad(&along, &[&a]).unwrap().remove(0);
        let program = tape.compile(&[&a], &[slope, again]).unwrap();
        for seed in 0..12 {
            let data = apart(&[size, size], seed);
            let found = program.run(&[Tensor::from_slice(gpu(), &[size, size], &narrowed(&data)).unwrap()]).unwrap();
            let found =
                found.iter().map(|found| found.read(gpu()).unwrap().into_iter().map(f64::from).collect::<Vec<_>>());
            let found: Vec<Vec<f64>> = found.collect();
            close(&format!("{size}, {seed}"), &found[1], &found[0], 1e-4);
        }
    }
}

/// Zeros among singular values that rounding to `f32` changed count for nothing.
#[test]
fn the_nuclear_norm_of_a_product_of_low_rank() {
    let tape = Tape::new(gpu());
    let (left, right) = (tape.input(&[6, 2]).unwrap(), tape.input(&[2, 6]).unwrap());
    let product = left.matmul(&right).unwrap();
    let norm = product.nuclear_norm().unwrap();
    // With respect to the product: its factors do not see vectors that are orthogonal to theirs.
    let slopes = tape.grad(&norm, &[&product]).unwrap();
    let program = tape.compile(&[&left, &right], &[&norm, &slopes[0]]).unwrap();
    let mut random = seeded(12);
    let data = [draw(&mut random, 12), draw(&mut random, 12)];
    let expected = program.evaluate(&data).unwrap();
    let upload = |shape: &[usize], data: &[f64]| Tensor::from_slice(gpu(), shape, &narrowed(data)).unwrap();
    let found = program.run(&[upload(&[6, 2], &data[0]), upload(&[2, 6], &data[1])]).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        let found: Vec<f64> = found.read(gpu()).unwrap().into_iter().map(f64::from).collect();
        close("nuclear norm", &found, expected, 1e-5);
    }
}
