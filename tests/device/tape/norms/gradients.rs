//! Gradients of norms of Jacobians, against differences, and the memory that they take.

use opnorm::norm::{JacobianSpectralNorm, Lanczos, Method, Power, Reduction, Status, Stop};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use super::{Network, lanczos, tensor};
use crate::gpu;
use crate::tape::{draw, narrowed, seeded};

/// Every weight and every sample, against central differences of exact norms.
#[test]
fn the_gradient_of_a_norm_is_that_of_its_differences() {
    let (sizes, batch) = ([5, 7, 6, 4], 3);
    let network = Network::new(&sizes, 3);
    let samples = draw(&mut seeded(4), batch * sizes[0]);
    let tensors = network.tensors();
    let others: Vec<(&Value, &Tensor)> = network.parameters.iter().zip(&tensors).collect();
    // Vectors are as good as the square root of the value: far below 1e-6.
    let method = Method::Lanczos(Lanczos { stop: Stop::Gradient { tolerance: 1e-5 }, ..Lanczos::default() });
    let norm = JacobianSpectralNorm { method, reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
    let at = tensor(&[batch, sizes[0]], &samples);
    let found = norm.norms(&network.tape, |x| network.apply(x), &at, &others).unwrap();
    for item in found.norms().items() {
        assert_eq!((item.status, item.multiplicity), (Status::Converged, Some(1)));
        assert!(item.gradient_error().unwrap() <= 1e-5);
    }
    let wanted: Vec<&Value> = std::iter::once(found.input()).chain(&network.parameters).collect();
    let gradients = found.gradient(&wanted).unwrap();

    let (x, t) = (network.tape.input(&[batch, sizes[0]]).unwrap(), network.tape.input(&[batch, sizes[0]]).unwrap());
    let along = network.tape.jvp(&[network.apply(&x).unwrap()], &[&x], &[&t]).unwrap();
    let inputs: Vec<&Value> = [&x, &t].into_iter().chain(&network.parameters).collect();
    let program = network.tape.compile(&inputs, &along).unwrap();
    let sides = (sizes[0], sizes[3]);
    let exact = network.exact(&program, &network.values, &samples, sides);
    assert!((found.reduced().unwrap() / exact - 1.0).abs() < 1e-6);

    let step = 1e-5;
    let mut checked = 0;
    for (which, gradient) in gradients.iter().enumerate() {
        let gradient = gradient.read(gpu()).unwrap();
        let scale = gradient.iter().fold(0f32, |most, entry| most.max(entry.abs()));
        for (index, entry) in gradient.iter().enumerate() {
            let at = |sign: f64| {
                let (mut samples, mut values) = (samples.clone(), network.values.clone());
                match which.checked_sub(1) {
                    None => samples[index] += sign * step,
                    Some(parameter) => values[parameter][index] += sign * step,
                }
                network.exact(&program, &values, &samples, sides)
            };
            let slope = (at(1.0) - at(-1.0)) / (2.0 * step);
            // Relative to the largest: a small entry is a difference of large ones.
            let error = (f64::from(*entry) - slope).abs();
            assert!(error <= 1e-4 * f64::from(scale) + 1e-7, "{which}, {index}: {entry} and {slope}");
            checked += 1;
        }
    }
    assert_eq!(checked, batch * 5 + (35 + 7) + (42 + 6) + (24 + 4));
}

/// The gradient of each reduction, from those of the samples alone.
#[test]
fn gradients_are_reduced_as_norms_are() {
    let sizes = [6, 9, 5];
    let network = Network::new(&sizes, 21);
    let tensors = network.tensors();
    let others: Vec<(&Value, &Tensor)> = network.parameters.iter().zip(&tensors).collect();
    let samples = tensor(&[3, sizes[0]], &draw(&mut seeded(22), 3 * sizes[0]));
    let of = |reduction| {
        let norm = JacobianSpectralNorm { reduction, ..lanczos() };
        norm.norms(&network.tape, |x| network.apply(x), &samples, &others).unwrap()
    };
    let weight = &network.parameters[0];
    let read = |gradients: Vec<Tensor>| gradients[0].read(gpu()).unwrap();
    let apart = of(Reduction::None);
    let alone: Vec<Vec<f32>> = (0..3)
        .map(|sample| {
            let weights: Vec<f64> = (0..3).map(|other| f64::from(u8::from(other == sample))).collect();
            read(apart.gradient_along(&weights, &[weight]).unwrap())
        })
        .collect();
    let sigmas: Vec<f64> = apart.norms().items().iter().map(|item| item.sigma).collect();
    let largest = (0..3).max_by(|left, right| sigmas[*left].total_cmp(&sigmas[*right])).unwrap();
    assert!(alone[0] != alone[1] && alone[1] != alone[2]);
    for (reduction, expected) in [
        (Reduction::Sum, [1.0, 1.0, 1.0]),
        (Reduction::Mean, [1.0 / 3.0; 3]),
        (Reduction::Max, [0, 1, 2].map(|sample| if sample == largest { 1.0 } else { 0.0 })),
    ] {
        let found = read(of(reduction).gradient(&[weight]).unwrap());
        for (index, found) in found.iter().enumerate() {
            let expected: f32 = (0..3).map(|sample| expected[sample] * alone[sample][index]).sum();
            assert!((found - expected).abs() < 1e-5, "{reduction}, {index}: {found} and {expected}");
        }
    }
}

/// The gradient needs the vectors alone: nothing of the iterations that found them is kept.
#[test]
fn the_memory_of_a_gradient_does_not_grow_with_the_iterations() {
    // A device of its own: its counters are those of this test alone.
    let gpu = opnorm::Device::new().unwrap();
    let tape = Tape::new(&gpu);
    let weight = tape.input(&[6, 6]).unwrap();
    let upload = |shape: &[usize], seed| {
        Tensor::from_slice(&gpu, shape, &narrowed(&draw(&mut seeded(seed), shape.iter().product()))).unwrap()
    };
    let (values, samples) = (upload(&[6, 6], 1), upload(&[2, 6], 2));
    let made = |max_iter| {
        let method = Method::Power(Power { rtol: 1e-12, max_iter, ..Power::default() });
        let norm = JacobianSpectralNorm { method, reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
        let found = norm.norms(&tape, |x| x.matmul(&weight)?.tanh(), &samples, &[(&weight, &values)]).unwrap();
        let before = gpu.totals();
        found.gradient(&[&weight]).unwrap();
        let after = gpu.totals();
        (found.norms().items()[0].iterations, after.buffers - before.buffers, after.dispatches - before.dispatches)
    };
    let ((few, buffers, dispatches), (many, more_buffers, more_dispatches)) = (made(3), made(300));
    assert!(many > few, "{few} and {many}");
    assert_eq!((buffers, dispatches), (more_buffers, more_dispatches));
}
