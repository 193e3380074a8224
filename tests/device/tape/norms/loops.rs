//! Norms of Jacobians and interpolated samples at one step of a training loop after another.

use opnorm::Error;
use opnorm::norm::{Interpolation, JacobianSpectralNorm, Reduction};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use super::{Network, lanczos, tensor};
use crate::gpu;
use crate::tape::{draw, seeded};

/// A norm that is prepared once gives at each point the result of one recorded there, and a loop leaves the graph as
/// it is.
#[test]
fn norms_at_one_point_after_another() {
    let sizes = [6, 9, 5];
    let network = Network::new(&sizes, 31);
    let norm = JacobianSpectralNorm { reduction: Reduction::Sum, ..lanczos() };
    let parameters: Vec<&Value> = network.parameters.iter().collect();
    let mut prepared = norm.prepare(&network.tape, |x| network.apply(x), &[3, sizes[0]], &parameters).unwrap();
    let input = prepared.input().clone();
    let wanted: Vec<&Value> = [&input].into_iter().chain(&network.parameters).collect();
    let mut graphs = Vec::new();
    for seed in 0..4 {
        let mut random = seeded(40 + seed);
        let samples = tensor(&[3, sizes[0]], &draw(&mut random, 3 * sizes[0]));
        let tensors: Vec<Tensor> = parameters
            .iter()
            .map(|value| tensor(value.shape(), &draw(&mut random, value.shape().iter().product())))
            .collect();
        let tensors: Vec<&Tensor> = tensors.iter().collect();
        let found = prepared.norms_at(&samples, &tensors).unwrap();
        let gradients = found.gradient(&wanted).unwrap();
        graphs.push(format!("{:?}", network.tape));

        let other = Tape::new(gpu());
        let fresh = Network {
            tape: other.clone(),
            parameters: parameters.iter().map(|value| other.input(value.shape()).unwrap()).collect(),
            values: Vec::new(),
        };
        let others: Vec<(&Value, &Tensor)> = fresh.parameters.iter().zip(tensors.iter().copied()).collect();
        let expected = norm.norms(&other, |x| fresh.apply(x), &samples, &others).unwrap();
        assert_eq!(found.reduced(), expected.reduced());
        let wanted: Vec<&Value> = [expected.input()].into_iter().chain(&fresh.parameters).collect();
        for (found, expected) in gradients.iter().zip(expected.gradient(&wanted).unwrap()) {
            assert_eq!(found.read(gpu()).unwrap(), expected.read(gpu()).unwrap());
        }
    }
    assert!(graphs[1..].iter().all(|graph| *graph == graphs[0]), "{graphs:?}");
    // Shapes are those that it was recorded with.
    let (few, more) = (tensor(&[2, sizes[0]], &[0.0; 12]), tensor(&[3, sizes[0]], &[0.0; 18]));
    assert!(matches!(prepared.norms_at(&few, &[]), Err(Error::ShapeMismatch { .. })));
    assert!(matches!(prepared.norms_at(&more, &[]), Err(Error::ShapeMismatch { .. })));
}

#[test]
fn samples_between_two_batches() {
    let between = Interpolation::new(gpu(), &[3, 2]).unwrap();
    let (left, right) = (tensor(&[3, 2], &[0.0; 6]), tensor(&[3, 2], &[1.0, 2.0, 1.0, 2.0, 1.0, 2.0]));
    let read = |seed| between.samples(&left, &right, seed).unwrap().read(gpu()).unwrap();
    let found = read(5);
    assert_eq!(found, read(5));
    for pair in found.chunks_exact(2) {
        assert!((0.0..=1.0).contains(&pair[0]) && (pair[1] - 2.0 * pair[0]).abs() < 1e-6, "{found:?}");
    }
    assert!(found[0] != found[2] && found != read(6));
    let short = tensor(&[2, 2], &[0.0; 4]);
    for (left, right) in [(&left, &short), (&short, &right), (&short, &short)] {
        assert!(matches!(between.samples(left, right, 0), Err(Error::ShapeMismatch { .. })));
    }
}

/// A training loop takes new samples at each step: no step makes more than the step before.
#[test]
fn samples_of_a_training_loop_make_no_more_at_a_later_step() {
    // A device of its own: its counters are those of this test alone.
    let gpu = opnorm::Device::new().unwrap();
    let tape = Tape::new(&gpu);
    let upload = |value: f32| Tensor::from_slice(&gpu, &[4, 2], &[value; 8]).unwrap();
    let (left, right) = (upload(0.0), upload(1.0));
    let between = Interpolation::new(&gpu, &[4, 2]).unwrap();
    let norm = JacobianSpectralNorm::default();
    let mut prepared = norm.prepare(&tape, Value::sin, &[4, 2], &[]).unwrap();
    let nodes = format!("{tape:?}");
    let mut made = Vec::new();
    for step in 0..200 {
        let before = gpu.totals();
        let samples = between.samples(&left, &right, step).unwrap();
        let after = gpu.totals();
        made.push((
            after.buffers - before.buffers,
            after.dispatches - before.dispatches,
            after.bind_groups - before.bind_groups,
        ));
        if step % 50 == 0 {
            let _ = prepared.norms_at(&samples, &[]).unwrap();
        }
    }
    assert_eq!(format!("{tape:?}"), nodes);
    assert!(made[1..].iter().all(|step| *step == made[1]) && made[1].2 == 0, "{made:?}");
}
