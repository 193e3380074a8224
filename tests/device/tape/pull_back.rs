//! The pull-back of a Jacobian's norm to the inputs of the function: another way to the same gradient, differences, and
//! several pairs of vectors.

use opnorm::Matrix;
use opnorm::norm::{JacobianSpectralNorm, Lanczos, Reduction, spectral_norm};
use opnorm::operator::Composition;
use opnorm::tape::{Linearization, Tape, Value};
use opnorm::tensor::Tensor;

use super::{draw, gpu, narrowed, seeded};

const BATCH: usize = 2;

/// x ↦ tanh(x W) V from 3 to 2, and a point of all three.
struct Network {
    tape: Tape,
    inputs: [Value; 3],
    y: Value,
    point: [Vec<f64>; 3],
}

fn layers(x: &Value, w: &Value, v: &Value) -> opnorm::Result<Value> {
    x.matmul(w)?.tanh()?.matmul(v)
}

impl Network {
    fn new() -> Self {
        let tape = Tape::new(gpu());
        let inputs = [[BATCH, 3], [3, 4], [4, 2]].map(|shape| tape.input(&shape).unwrap());
        let y = layers(&inputs[0], &inputs[1], &inputs[2]).unwrap();
        let mut random = seeded(31);
        let point = [BATCH * 3, 12, 8].map(|count| draw(&mut random, count));
        Self { tape, inputs, y, point }
    }

    fn tensors(&self) -> Vec<Tensor> {
        let upload = |(input, data): (&Value, &Vec<f64>)| Tensor::from_slice(gpu(), input.shape(), &narrowed(data));
        self.inputs.iter().zip(&self.point).map(|pair| upload(pair).unwrap()).collect()
    }

    fn jacobian(&self) -> Linearization {
        let tensors = self.tensors();
        let at: Vec<(&Value, &Tensor)> = self.inputs.iter().zip(&tensors).collect();
        self.tape.linearize(&self.y, &self.inputs[0], &at).unwrap()
    }

    /// The Jacobian of each sample in `f64`, 2 x 3.
    fn dense(&self, point: &[Vec<f64>; 3]) -> Vec<faer::Mat<f64>> {
        let tangent = self.tape.input(&[BATCH, 3]).unwrap();
        let along = self.tape.jvp(&[&self.y], &[&self.inputs[0]], &[&tangent]).unwrap();
        let inputs: Vec<&Value> = self.inputs.iter().chain([&tangent]).collect();
        let program = self.tape.compile(&inputs, &along).unwrap();
        let column = |col: usize| {
            let unit: Vec<f64> = (0..BATCH * 3).map(|index| f64::from(u8::from(index % 3 == col))).collect();
            program.evaluate(&point.iter().chain([&unit]).collect::<Vec<_>>()).unwrap().remove(0)
        };
        let columns: Vec<Vec<f64>> = (0..3).map(column).collect();
        (0..BATCH).map(|item| faer::Mat::from_fn(2, 3, |row, col| columns[col][2 * item + row])).collect()
    }
}

#[test]
fn a_pull_back_is_the_gradient_of_the_jacobian_norms() {
    let network = Network::new();
    let tensors = network.tensors();
    let [_, w, v] = &network.inputs;
    let norm = JacobianSpectralNorm { reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
    let others = [(w, &tensors[1]), (v, &tensors[2])];
    let norms = norm.norms(&network.tape, |x| layers(x, w, v), &tensors[0], &others).unwrap();
    let expected = norms.gradient(&[norms.input(), w, v]).unwrap();
    let jacobian = network.jacobian();
    let found = spectral_norm(&jacobian).unwrap().pull_back(&jacobian, &[1.0; BATCH]).unwrap();
    assert_eq!(found.len(), 3);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.shape(), expected.shape());
        assert_eq!(found.read(gpu()).unwrap(), expected.read(gpu()).unwrap());
    }
}

#[test]
fn a_pull_back_through_a_composition_is_the_difference_of_norms() {
    let (network, weights) = (Network::new(), [1.5, -0.5]);
    let mut random = seeded(32);
    let outer: Vec<f32> = narrowed(&draw(&mut random, BATCH * 4));
    let matrix = Matrix::from_batch(gpu(), BATCH, 2, 2, &outer).unwrap();
    let jacobian = network.jacobian();
    let product = Composition::new(&matrix, &jacobian).unwrap();
    let gradients = spectral_norm(&product).unwrap().pull_back(&product, &weights).unwrap();
    assert_eq!(gradients[0].shape(), [BATCH, 2, 2]);
    let value = |point: &[Vec<f64>; 3]| -> f64 {
        let sigma = |(item, inner): (usize, faer::Mat<f64>)| {
            let outer = faer::Mat::from_fn(2, 2, |row, col| f64::from(outer[4 * item + 2 * row + col]));
            weights[item] * (outer * inner).singular_values().unwrap()[0]
        };
        network.dense(point).into_iter().enumerate().map(sigma).sum()
    };
    for (place, gradient) in gradients[1..].iter().enumerate() {
        let direction = draw(&mut random, network.point[place].len());
        let moved = |step: f64| {
            let mut point = network.point.clone();
            point[place].iter_mut().zip(&direction).for_each(|(value, change)| *value += step * change);
            value(&point)
        };
        let step = 1e-5;
        let difference = (moved(step) - moved(-step)) / (2.0 * step);
        let slopes = gradient.read(gpu()).unwrap();
        let along: f64 = slopes.iter().zip(&direction).map(|(slope, change)| f64::from(*slope) * change).sum();
        let scale: f64 = slopes.iter().zip(&direction).map(|(slope, change)| (f64::from(*slope) * change).abs()).sum();
        // a Krylov space of two dimensions holds the vectors, to about rounding over the gap
        assert!((along - difference).abs() <= 1e-4 * scale, "{place}: {along} and {difference}");
    }
}

#[test]
fn copies_of_the_largest_value_share_the_weight() {
    // J = factor I of each sample: U₁ V₁ᵀ / 3 has the trace 1
    let tape = Tape::new(gpu());
    let (x, factor) = (tape.input(&[BATCH, 3]).unwrap(), tape.input(&[]).unwrap());
    let y = x.multiply(&factor).unwrap();
    let zeros = Tensor::zeros(gpu(), &[BATCH, 3]).unwrap();
    let two = Tensor::from_slice(gpu(), &[], &[2.0]).unwrap();
    let jacobian = tape.linearize(&y, &x, &[(&x, &zeros), (&factor, &two)]).unwrap();
    let norms = Lanczos { multiplicity: true, ..Lanczos::default() }.norm(&jacobian).unwrap();
    assert_eq!(norms.items()[0].multiplicity, Some(3));
    let found = norms.pull_back(&jacobian, &[1.0, 0.25]).unwrap();
    assert!(found[0].read(gpu()).unwrap().iter().all(|slope| *slope == 0.0), "J does not depend on x");
    assert!((found[1].read(gpu()).unwrap()[0] - 1.25).abs() < 1e-5);
}
