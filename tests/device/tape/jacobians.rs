//! Jacobians as operators: known norms, dense singular values, adjoints, columns, and allocations of a product.

use opnorm::Device;
use opnorm::norm::Lanczos;
use opnorm::operator::{Identity, LinearOperator};
use opnorm::tape::{Linearization, Tape, Value};
use opnorm::tensor::Tensor;

use super::{dot, draw, gpu, largest, narrowed, seeded};

fn sigmas(jacobian: &Linearization) -> Vec<f64> {
    Lanczos::default().norm(jacobian).unwrap().items().iter().map(|item| item.sigma).collect()
}

#[test]
fn the_norm_of_a_diagonal_is_its_largest_entry() {
    let tape = Tape::new(gpu());
    let entries: Vec<f32> = (1..=50).map(|entry| entry as f32).collect();
    let diagonal = tape.constant(&Tensor::from_slice(gpu(), &[50], &entries).unwrap()).unwrap();
    let x = tape.input(&[1, 50]).unwrap();
    let y = x.multiply(&diagonal).unwrap();
    let point = Tensor::zeros(gpu(), &[1, 50]).unwrap();
    let found = sigmas(&tape.linearize(&y, &x, &[(&x, &point)]).unwrap());
    assert!((found[0] - 50.0).abs() < 50.0 * 1e-5, "{found:?}");
    // 2 f - 1, whose norm is at most 1 where f is firmly nonexpansive.
    let reflected = y.scale(2.0).unwrap().subtract(&x).unwrap();
    let found = sigmas(&tape.linearize(&reflected, &x, &[(&x, &point)]).unwrap());
    assert!((found[0] - 99.0).abs() < 99.0 * 1e-5, "{found:?}");
}

#[test]
fn every_sample_has_its_own_norm() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[5, 3, 8, 8]).unwrap();
    let factors = Tensor::from_slice(gpu(), &[5, 1, 1, 1], &[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    let y = x.multiply(&tape.constant(&factors).unwrap()).unwrap();
    let point = Tensor::zeros(gpu(), &[5, 3, 8, 8]).unwrap();
    let jacobian = tape.linearize(&y, &x, &[(&x, &point)]).unwrap();
    assert_eq!((jacobian.batch(), jacobian.domain()), (5, vec![3, 8, 8]));
    for (sigma, factor) in sigmas(&jacobian).into_iter().zip(1..) {
        assert!((sigma - f64::from(factor)).abs() < 1e-5 * f64::from(factor), "{sigma}");
    }
}

/// tanh layers from 7 to 4, with their parameters as inputs of the graph.
struct Network {
    tape: Tape,
    x: Value,
    y: Value,
    inputs: Vec<Value>,
    points: Vec<Vec<f64>>,
}

impl Network {
    fn new(gpu: &Device, batch: usize, seed: u64) -> Self {
        let tape = Tape::new(gpu);
        let x = tape.input(&[batch, 7]).unwrap();
        let mut random = seeded(seed);
        let (mut y, mut inputs) = (x.clone(), vec![x.clone()]);
        for (from, to) in [(7, 11), (11, 5), (5, 4)] {
            let (weight, bias) = (tape.input(&[to, from]).unwrap(), tape.input(&[to]).unwrap());
            y = y.matmul_nt(&weight).unwrap().add(&bias).unwrap().scale(0.5).unwrap().tanh().unwrap();
            inputs.extend([weight, bias]);
        }
        let points = inputs.iter().map(|input| draw(&mut random, input.shape().iter().product())).collect();
        Self { tape, x, y, inputs, points }
    }

    fn linearize(&self, gpu: &Device) -> Linearization {
        let point =
            |(input, data): (&Value, &Vec<f64>)| Tensor::from_slice(gpu, input.shape(), &narrowed(data)).unwrap();
        let tensors: Vec<Tensor> = self.inputs.iter().zip(&self.points).map(point).collect();
        let at: Vec<(&Value, &Tensor)> = self.inputs.iter().zip(&tensors).collect();
        self.tape.linearize(&self.y, &self.x, &at).unwrap()
    }

    /// The Jacobians in `f64`, a column of all of them at a time: 7 columns of 4 rows for each sample.
    fn columns(&self) -> Vec<Vec<f64>> {
        let t = self.tape.input(self.x.shape()).unwrap();
        let along = self.tape.jvp(&[&self.y], &[&self.x], &[&t]).unwrap();
        let inputs: Vec<&Value> = self.inputs.iter().chain([&t]).collect();
        let program = self.tape.compile(&inputs, &along).unwrap();
        let column = |column: usize| {
            let unit: Vec<f64> =
                (0..self.points[0].len()).map(|index| f64::from(u8::from(index % 7 == column))).collect();
            let given: Vec<&Vec<f64>> = self.points.iter().chain([&unit]).collect();
            program.evaluate(&given).unwrap().remove(0)
        };
        (0..7).map(column).collect()
    }
}

#[test]
fn the_norm_of_a_network_is_that_of_its_dense_jacobian() {
    let network = Network::new(gpu(), 6, 5);
    let found = sigmas(&network.linearize(gpu()));
    let columns = network.columns();
    for (sample, found) in found.into_iter().enumerate() {
        let dense = faer::Mat::from_fn(4, 7, |row, col| columns[col][4 * sample + row]);
        let exact = dense.singular_values().unwrap()[0];
        assert!((found - exact).abs() < 1e-5 * exact, "{sample}: {found} and {exact}");
    }
}

#[test]
fn a_jacobian_stands_on_the_left_of_an_operator() {
    // diag(2 x) at the point, less the identity.
    let tape = Tape::new(gpu());
    let x = tape.input(&[1, 2]).unwrap();
    let point = Tensor::from_slice(gpu(), &[1, 2], &[3.0, 1.0]).unwrap();
    let jacobian = tape.linearize(&x.square().unwrap(), &x, &[(&x, &point)]).unwrap();
    let identity = Identity::new(gpu(), 1, &[2]);
    let sigma = |operator: &dyn LinearOperator| Lanczos::default().norm(operator).unwrap().items()[0].sigma;
    let found = [
        sigma(&(&jacobian + &identity).unwrap()),
        sigma(&(&jacobian - &identity).unwrap()),
        sigma(&(&jacobian * &jacobian).unwrap()),
        sigma(&(&jacobian * -0.5).unwrap()),
        sigma(&-jacobian),
    ];
    assert!(found.iter().zip([7.0, 5.0, 36.0, 3.0, 6.0]).all(|(sigma, exact)| (sigma / exact - 1.0).abs() < 1e-5));
}

#[test]
fn products_of_several_columns_are_those_of_the_dense_jacobian() {
    let (batch, columns) = (3, 2);
    let network = Network::new(gpu(), batch, 8);
    let (jacobian, dense) = (network.linearize(gpu()), network.columns());
    let mut random = seeded(9);
    let (x, c) = (draw(&mut random, batch * columns * 7), draw(&mut random, batch * columns * 4));
    let upload = |size, data: &[f64]| Tensor::from_slice(gpu(), &[batch, columns, size], &narrowed(data)).unwrap();
    let (input, cotangent) = (upload(7, &x), upload(4, &c));
    let (output, back) = (upload(4, &vec![0.0; c.len()]), upload(7, &vec![0.0; x.len()]));
    let mut recorder = gpu().recorder();
    jacobian.apply(&mut recorder, &input, &output).unwrap();
    jacobian.apply_adjoint(&mut recorder, &cotangent, &back).unwrap();
    recorder.submit().unwrap();
    let wide = |tensor: &Tensor| tensor.read(gpu()).unwrap().into_iter().map(f64::from).collect::<Vec<_>>();
    let (output, back) = (wide(&output), wide(&back));
    let scale = 7.0 * 2.0 * dense.iter().map(|column| largest(column)).fold(0.0, f64::max);
    for vector in 0..batch * columns {
        let sample = vector / columns;
        let (x, c) = (&x[vector * 7..][..7], &c[vector * 4..][..4]);
        for row in 0..4 {
            let product: f64 = (0..7).map(|col| dense[col][4 * sample + row] * x[col]).sum();
            assert!((output[vector * 4 + row] - product).abs() < 1e-5 * scale);
        }
        for col in 0..7 {
            let product = dot(&dense[col][4 * sample..][..4], c);
            assert!((back[vector * 7 + col] - product).abs() < 1e-5 * scale);
        }
    }
}

#[test]
fn a_product_makes_no_memory_and_no_bind_groups() {
    // A separate device, so that its counters count this test alone.
    let gpu = Device::new().unwrap();
    let jacobian = Network::new(&gpu, 3, 2).linearize(&gpu);
    let (input, output) = (Tensor::zeros(&gpu, &[3, 2, 7]).unwrap(), Tensor::zeros(&gpu, &[3, 2, 4]).unwrap());
    // The first products with two vectors make the programs for two.
    let mut recorder = gpu.recorder();
    jacobian.apply(&mut recorder, &input, &output).unwrap();
    jacobian.apply_adjoint(&mut recorder, &output, &input).unwrap();
    recorder.submit().unwrap();
    let before = gpu.totals();
    let mut recorder = gpu.recorder();
    for _ in 0..10 {
        jacobian.apply(&mut recorder, &input, &output).unwrap();
        jacobian.apply_adjoint(&mut recorder, &output, &input).unwrap();
    }
    recorder.submit().unwrap();
    let after = gpu.totals();
    assert_eq!((after.bind_groups, after.buffers), (before.bind_groups, before.buffers));
    assert!(after.dispatches >= before.dispatches + 20 * 3, "{after:?}");
    assert_eq!(after.submits, before.submits + 1);
}

#[test]
fn what_does_not_depend_on_its_input_has_norm_zero() {
    let tape = Tape::new(gpu());
    let (x, z) = (tape.input(&[2, 3]).unwrap(), tape.input(&[2, 4]).unwrap());
    let point = Tensor::zeros(gpu(), &[2, 3]).unwrap();
    let jacobian = tape.linearize(&z, &x, &[(&x, &point)]).unwrap();
    assert_eq!(sigmas(&jacobian), [0.0, 0.0]);
}

#[test]
fn functions_that_mix_samples_are_refused() {
    let tape = Tape::new(gpu());
    let samples = Tensor::from_slice(gpu(), &[3, 2], &[0.5, 1.0, -1.0, 2.0, 0.25, -0.75]).unwrap();
    let norm = opnorm::norm::JacobianSpectralNorm::default();
    let centred = |x: &Value| x.subtract(&x.mean(&[0])?);
    let error = norm.norms(&tape, centred, &samples, &[]).unwrap_err().to_string();
    assert!(error.contains("mixes samples") && error.contains("first axis"), "{error}");
    // At zero this derivative vanishes, so that the mixing shows only at the first samples.
    let product = |x: &Value| x.multiply(&x.sum(&[0])?);
    let mut prepared = norm.prepare(&tape, product, &[3, 2], &[]).unwrap();
    assert!(prepared.norms_at(&samples, &[]).unwrap_err().to_string().contains("mixes samples"));
    // A single sample cannot mix, and an infinite sample moves no other.
    let alone = Tensor::from_slice(gpu(), &[1, 2], &[0.5, 1.0]).unwrap();
    let _ = norm.norms(&tape, centred, &alone, &[]).unwrap();
    let zero = Tensor::from_slice(gpu(), &[3, 2], &[0.0; 6]).unwrap();
    let _ = norm.norms(&tape, Value::log, &zero, &[]).unwrap();
    // The error names the missing input in the caller's words.
    let weight = tape.input(&[2, 2]).unwrap();
    let error = norm.norms(&tape, |x| x.matmul(&weight), &samples, &[]).unwrap_err().to_string();
    assert!(error.starts_with("linearize:") && error.contains("[2, 2]"), "{error}");
}
