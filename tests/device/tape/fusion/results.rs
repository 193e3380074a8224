//! The results and the memory of fused programs, against those of separate operations.

use opnorm::Result;
use opnorm::operator::LinearOperator;
use opnorm::tape::{Fusion, Program, Tape, Value};
use opnorm::tensor::Tensor;
use proptest::prelude::*;
use rand::RngExt;

use super::{bits, both, upload};
use crate::gpu;
use crate::tape::nesting::trees;
use crate::tape::{draw, largest, narrowed, seeded};

/// Runs both programs on numbers that are drawn; the bits must be equal, and the twins of both programs too. Returns
/// the results and the twins.
fn compared(programs: &[Program; 2], inputs: &[&Value], seed: u64) -> (Vec<Vec<f32>>, Vec<Vec<f64>>) {
    let mut random = seeded(seed);
    let data: Vec<Vec<f64>> = inputs.iter().map(|input| draw(&mut random, input.shape().iter().product())).collect();
    let tensors = upload(gpu(), inputs, &data);
    let [fused, unfused] = programs.each_ref().map(|program| bits(gpu(), &program.run(&tensors).unwrap()));
    assert_eq!(fused, unfused);
    let [twins, others] = programs.each_ref().map(|program| program.evaluate(&data).unwrap());
    assert_eq!(twins, others);
    (fused.into_iter().map(|result| result.into_iter().map(f32::from_bits).collect()).collect(), twins)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// The value, a derivative forward and one backward: fused and not, and the host.
    #[test]
    fn random_expressions_have_the_bits_of_separate_operations(tree in trees(), seed: u64) {
        let tape = Tape::new(gpu());
        let [x, t] = [0; 2].map(|_| tape.input(&[4]).unwrap());
        let y = tree.build(&tape, &x).unwrap();
        let along = tape.jvp(&[&y], &[&x], &[&t]).unwrap().remove(0);
        let back = tape.vjp(&[&y], &[&x], &[&t]).unwrap().remove(0);
        let programs = both(&tape, &[&x, &t], &[&y, &along, &back]);
        let (found, twins) = compared(&programs, &[&x, &t], seed);
        let scale = twins.iter().map(|twin| largest(twin)).fold(1.0, f64::max);
        prop_assume!(scale < 1e2);
        // An operation is off by at most 20 units of a value, and what follows has slopes: both are taken to be within
        // `scale`.
        let bound = 20.0 * programs[0].operations() as f64 / f64::from(1 << 23) * scale * scale;
        for (found, twin) in found.iter().flatten().zip(twins.iter().flatten()) {
            prop_assert!((f64::from(*found) - twin).abs() <= bound, "{found} and {twin}");
        }
    }

    /// Any graph of functions of two vectors and a row, any of whose values may be outputs or read by something else.
    #[test]
    fn random_graphs_have_the_bits_of_separate_operations(seed: u64, outputs in 1..6usize) {
        let mut random = seeded(seed);
        let tape = Tape::new(gpu());
        let inputs = [tape.input(&[5, 7]).unwrap(), tape.input(&[7]).unwrap(), tape.input(&[5, 1]).unwrap()];
        let mut values = vec![inputs[0].clone()];
        for _ in 0..random.random_range(1..40usize) {
            let mut pick = || values[random.random_range(0..values.len())].clone();
            let (left, right) = (pick(), pick());
            values.push(match random.random_range(0..16u32) {
                0 => left.add(&right),
                1 => left.subtract(&right),
                2 => left.multiply(&right),
                3 => left.divide(&right.square().unwrap().shift(1.0).unwrap()),
                4 => left.maximum(&right),
                5 => left.subtract(&inputs[1]),
                6 => inputs[2].divide(&left.square().unwrap().shift(0.5).unwrap()),
                7 => left.tanh(),
                8 => left.scale(random.random_range(-1.0..1.0)),
                9 => left.shift(random.random_range(-1.0..1.0)),
                10 => tape.fill(&[5, 7], 0.75).unwrap().subtract(&left),
                11 => left.reshape(&[35]).unwrap().abs().unwrap().reshape(&[5, 7]),
                12 => left.sum(&[1]).unwrap().sin().unwrap().reshape(&[5, 1]).unwrap().multiply(&right),
                13 => left.mean(&[0, 1]).unwrap().broadcast_to(&[5, 7]).unwrap().sin(),
                14 => left.sin().unwrap().matmul_nt(&right.sin().unwrap()).unwrap().matmul(&left.tanh().unwrap()),
                _ => left.relu(),
            }.unwrap());
        }
        let ends: Vec<&Value> = (0..outputs).map(|_| &values[random.random_range(0..values.len())]).collect();
        let inputs = inputs.each_ref();
        compared(&both(&tape, &inputs, &ends), &inputs, seed);
    }
}

/// Products, sums and inverse functions that a compiler would like to simplify where they meet in one kernel.
#[test]
fn what_is_not_finite_or_subnormal_stays_so() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[8]).unwrap();
    let zero = tape.fill(&[8], 0.0).unwrap();
    let outputs = [
        x.subtract(&x.scale(1.0).unwrap()),
        x.scale(1.0).unwrap().multiply(&zero),
        x.log().unwrap().exp(),
        x.exp().unwrap().log(),
        x.sqrt().unwrap().square(),
        x.scale(0.5).unwrap().scale(2.0),
        x.multiply(&x).unwrap().add(&x),
        x.shift(1e8).unwrap().shift(-1e8),
        x.scale(1.0).unwrap().divide(&x.scale(1.0).unwrap()),
        x.negate().unwrap().maximum(&x),
    ]
    .map(Result::unwrap);
    let data = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e-40, -3.0, 200.0, f32::MAX];
    let point = Tensor::from_slice(gpu(), &[8], &data).unwrap();
    let outputs: Vec<&Value> = outputs.iter().collect();
    let [fused, unfused] = both(&tape, &[&x], &outputs).map(|program| bits(gpu(), &program.run(&[&point]).unwrap()));
    assert_eq!(fused, unfused);
}

#[test]
fn chains_need_no_memory_of_their_own() {
    let tape = Tape::new(gpu());
    let (x, bias) = (tape.input(&[20, 50]).unwrap(), tape.input(&[50]).unwrap());
    let sum = x.add(&bias).unwrap();
    let y = sum.tanh().unwrap().multiply(&sum.exp().unwrap()).unwrap().multiply(&sum).unwrap();
    let [fused, unfused] = both(&tape, &[&x, &bias], &[&y]);
    assert_eq!(fused.peak_bytes(), 4 * (1000 + 50 + 1000));
    assert!(unfused.peak_bytes() >= 4 * (1000 + 50 + 3000), "{}", unfused.peak_bytes());
}

#[test]
fn a_fused_jacobian_touches_less_and_has_the_same_products() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[3, 50]).unwrap();
    let y = x.softmax(1).unwrap().multiply(&x).unwrap().gelu_tanh().unwrap();
    let mut random = seeded(3);
    let [point, v] = [0; 2].map(|_| narrowed(&draw(&mut random, 150)));
    let point = Tensor::from_slice(gpu(), &[3, 50], &point).unwrap();
    let v = Tensor::from_slice(gpu(), &[3, 1, 50], &v).unwrap();
    let [fused, unfused] =
        [Fusion::Always, Fusion::Never].map(|fusion| tape.fusing(fusion).linearize(&y, &x, &[(&x, &point)]).unwrap());
    assert!(fused.bytes_per_product() < unfused.bytes_per_product());
    let [found, separate] = [fused, unfused].map(|jacobian| {
        let [along, back] = [0; 2].map(|_| Tensor::zeros(gpu(), &[3, 1, 50]).unwrap());
        let mut recorder = gpu().recorder();
        jacobian.apply(&mut recorder, &v, &along).unwrap();
        jacobian.apply_adjoint(&mut recorder, &v, &back).unwrap();
        recorder.submit().unwrap();
        bits(gpu(), &[along, back])
    });
    assert_eq!(found, separate);
}

/// Numbers and sizes are parameters: a program that differs in them alone has its kernels already.
#[test]
fn other_numbers_and_sizes_are_the_same_kernel() {
    for (size, number) in [(7usize, 0.5), (12, -3.0)] {
        let tape = Tape::new(gpu());
        let (x, bias) = (tape.input(&[3, size]).unwrap(), tape.input(&[size]).unwrap());
        let y = x.add(&bias).unwrap().scale(number).unwrap().shift(1.0).unwrap().leaky_relu(number).unwrap();
        compared(&both(&tape, &[&x, &bias], &[&y]), &[&x, &bias], 4);
    }
}
