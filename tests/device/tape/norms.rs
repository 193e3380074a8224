//! Norms of Jacobians, sample by sample and reduced, and their gradients.

use faer::Mat;
use opnorm::norm::{Interpolation, JacobianSpectralNorm, Lanczos, Method, Power, Reduction, Status, Stop};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Error, Result};

use super::{draw, gpu, narrowed, seeded};

fn tensor(shape: &[usize], data: &[f64]) -> Tensor {
    Tensor::from_slice(gpu(), shape, &narrowed(data)).unwrap()
}

fn lanczos() -> JacobianSpectralNorm {
    let method = Method::Lanczos(Lanczos { stop: Stop::Value { rtol: 1e-6 }, ..Lanczos::default() });
    JacobianSpectralNorm { method, ..JacobianSpectralNorm::default() }
}

fn power() -> JacobianSpectralNorm {
    let method = Method::Power(Power { rtol: 1e-6, max_iter: 5000, ..Power::default() });
    JacobianSpectralNorm { method, ..JacobianSpectralNorm::default() }
}

#[test]
fn a_diagonal_and_its_reflection() {
    let tape = Tape::new(gpu());
    let entries: Vec<f64> = (1..=50).map(f64::from).collect();
    let diagonal = tape.constant(&tensor(&[50], &entries)).unwrap();
    let samples = tensor(&[1, 50], &vec![0.25; 50]);
    let f = |x: &Value| x.multiply(&diagonal);
    for norm in [lanczos(), power()] {
        let found = norm.norms(&tape, f, &samples, &[]).unwrap().reduced().unwrap();
        assert!((49.999..=50.0001).contains(&found), "{found}");
        let found = norm.norms_of_reflection(&tape, f, &samples, &[]).unwrap().reduced().unwrap();
        assert!((found - 99.0).abs() < 2e-3, "{found}");
    }
}

/// f(x) = k x with k = 1..5, on images.
#[test]
fn reductions_of_a_batch() {
    let tape = Tape::new(gpu());
    let shape = [5, 3, 8, 8];
    let factors = tape.constant(&tensor(&[5, 1, 1, 1], &[1.0, 2.0, 3.0, 4.0, 5.0])).unwrap();
    let samples = tensor(&shape, &draw(&mut seeded(1), 5 * 3 * 64));
    let f = |x: &Value| x.multiply(&factors);
    for norm in [lanczos(), power()] {
        for (name, expected) in [("max", Some(5.0)), ("mean", Some(3.0)), ("sum", Some(15.0)), ("none", None)] {
            let norm = JacobianSpectralNorm { reduction: name.parse().unwrap(), ..norm.clone() };
            let found = norm.norms(&tape, f, &samples, &[]).unwrap();
            assert_eq!(norm.reduction.to_string(), name);
            match (found.reduced(), expected) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-4, "{name}: {found}"),
                (found, expected) => assert_eq!(found, expected),
            }
            for (item, factor) in found.norms().items().iter().zip(1..) {
                assert!((item.sigma - f64::from(factor)).abs() < 1e-4, "{item:?}");
            }
            let reflected = norm.norms_of_reflection(&tape, f, &samples, &[]).unwrap();
            for (item, expected) in reflected.norms().items().iter().zip([1.0, 3.0, 5.0, 7.0, 9.0]) {
                assert!((item.sigma - expected).abs() < 2e-4, "{item:?}");
            }
        }
    }
    let error = "median".parse::<Reduction>().unwrap_err();
    assert!(matches!(error, Error::InvalidOption { option: "reduction", .. }), "{error:?}");
}

/// Two hidden layers of tanh, as a function of a value, with its parameters.
struct Network {
    tape: Tape,
    parameters: Vec<Value>,
    values: Vec<Vec<f64>>,
}

impl Network {
    fn new(sizes: &[usize], seed: u64) -> Self {
        let tape = Tape::new(gpu());
        let mut random = seeded(seed);
        let (mut parameters, mut values) = (Vec::new(), Vec::new());
        for pair in sizes.windows(2) {
            for shape in [&[pair[1], pair[0]][..], &[pair[1]][..]] {
                parameters.push(tape.input(shape).unwrap());
                let data = draw(&mut random, shape.iter().product());
                values.push(data.into_iter().map(|value| f64::from((0.5 * value) as f32)).collect());
            }
        }
        Self { tape, parameters, values }
    }

    fn apply(&self, x: &Value) -> Result<Value> {
        let layers = self.parameters.chunks_exact(2);
        let last = layers.len() - 1;
        let mut y = x.clone();
        for (index, layer) in layers.enumerate() {
            y = y.matmul_nt(&layer[0])?.add(&layer[1])?;
            if index < last {
                y = y.tanh()?;
            }
        }
        Ok(y)
    }

    fn tensors(&self) -> Vec<Tensor> {
        self.parameters.iter().zip(&self.values).map(|(value, data)| tensor(value.shape(), data)).collect()
    }

    /// The sum of the norms of the Jacobians at `samples`, in `f64`, by dense decompositions.
    fn exact(
        &self,
        program: &opnorm::tape::Program,
        values: &[Vec<f64>],
        samples: &[f64],
        sides: (usize, usize),
    ) -> f64 {
        let (from, to) = sides;
        let batch = samples.len() / from;
        let columns: Vec<Vec<f64>> = (0..from)
            .map(|col| {
                let unit: Vec<f64> = (0..samples.len()).map(|index| f64::from(u8::from(index % from == col))).collect();
                let given: Vec<&[f64]> = [samples, &unit].into_iter().chain(values.iter().map(Vec::as_slice)).collect();
                program.evaluate(&given).unwrap().remove(0)
            })
            .collect();
        let norm = |sample: usize| {
            let dense = Mat::from_fn(to, from, |row, col| columns[col][to * sample + row]);
            dense.singular_values().unwrap()[0]
        };
        (0..batch).map(norm).sum()
    }
}

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

#[test]
fn samples_do_not_know_each_other() {
    let sizes = [6, 9, 5];
    let network = Network::new(&sizes, 7);
    let samples = draw(&mut seeded(8), 4 * sizes[0]);
    let tensors = network.tensors();
    let others: Vec<(&Value, &Tensor)> = network.parameters.iter().zip(&tensors).collect();
    let norm = JacobianSpectralNorm { reduction: Reduction::None, ..lanczos() };
    let all = tensor(&[4, sizes[0]], &samples);
    let sigmas = |norm: &JacobianSpectralNorm, at: &Tensor| -> Vec<f64> {
        let found = norm.norms(&network.tape, |x| network.apply(x), at, &others).unwrap();
        found.norms().items().iter().map(|item| item.sigma).collect()
    };
    let together = sigmas(&norm, &all);
    for (sample, sigma) in together.iter().enumerate() {
        let alone = sigmas(&norm, &tensor(&[1, sizes[0]], &samples[sample * sizes[0]..][..sizes[0]]));
        assert!((alone[0] / sigma - 1.0).abs() < 1e-6, "{sample}: {alone:?} and {sigma}");
    }
    // A reduced batch changes no item, and one that is larger than the batch takes it all.
    for (wanted, count) in [(0, 0), (1, 1), (3, 3), (4, 4), (9, 4)] {
        let found = sigmas(&JacobianSpectralNorm { reduced_batch: Some(wanted), ..norm.clone() }, &all);
        assert_eq!(found.len(), count);
        for (found, sigma) in found.iter().zip(&together) {
            assert!((found / sigma - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn nothing_and_not_a_number() {
    let tape = Tape::new(gpu());
    let samples = tensor(&[3, 2], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    // The derivative of x² is zero where x is.
    for norm in [lanczos(), power()] {
        let found = norm.norms(&tape, Value::square, &samples, &[]).unwrap();
        let sigmas: Vec<f64> = found.norms().items().iter().map(|item| item.sigma).collect();
        assert_eq!((sigmas[0], sigmas[2]), (0.0, 0.0));
        assert!((sigmas[1] - 2.0).abs() < 1e-5 && (found.reduced().unwrap() - 2.0).abs() < 1e-5);
        let gradient = found.gradient(&[found.input()]).unwrap()[0].read(gpu()).unwrap();
        assert!(gradient[..2].iter().chain(&gradient[4..]).all(|entry| *entry == 0.0), "{gradient:?}");
    }
    // The derivative of log is infinite at zero: that is said, and no reduction hides it.
    let alone = tensor(&[2, 1], &[0.0, 4.0]);
    for (norm, samples) in [(lanczos(), &samples), (power(), &samples), (lanczos(), &alone), (power(), &alone)] {
        let found = norm.norms(&tape, Value::log, samples, &[]).unwrap();
        assert_eq!(found.norms().items()[0].status, Status::NonFinite);
        assert_eq!(found.norms().items()[1].status, Status::Converged);
        assert!(found.reduced().unwrap().is_nan());
    }

    // What is not a number has no gradient, and hides in none; the others have theirs.
    let broken = tensor(&[2, 1], &[f64::NAN, 2.0]);
    let found =
        JacobianSpectralNorm { reduction: Reduction::Sum, ..lanczos() }.norms(&tape, Value::square, &broken, &[]);
    let found = found.unwrap();
    let gradient = found.gradient(&[found.input()]).unwrap()[0].read(gpu()).unwrap();
    assert!(gradient[0].is_nan() && (gradient[1] - 2.0).abs() < 1e-5, "{gradient:?}");
    let found = lanczos().norms(&tape, |x| x.scale(3.0)?.tanh(), &tensor(&[1, 2], &[f64::NAN, 0.1]), &[]).unwrap();
    assert!(found.reduced().unwrap().is_nan());
    let error = lanczos().norms_of_reflection(&tape, |x| x.sum(&[1]), &samples, &[]).unwrap_err().to_string();
    assert!(error.contains("reflection") && error.contains("[3, 2]"), "{error}");

    let found =
        JacobianSpectralNorm { reduction: Reduction::None, ..lanczos() }.norms(&tape, Value::square, &samples, &[]);
    let found = found.unwrap();
    assert!(matches!(found.gradient(&[found.input()]), Err(Error::InvalidOption { .. })));
    assert!(matches!(found.gradient_along(&[1.0], &[found.input()]), Err(Error::ShapeMismatch { .. })));
}

#[test]
fn an_upper_bound_for_each_sample() {
    let sizes = [6, 9, 5];
    let network = Network::new(&sizes, 11);
    let tensors = network.tensors();
    let others: Vec<(&Value, &Tensor)> = network.parameters.iter().zip(&tensors).collect();
    let samples = tensor(&[4, sizes[0]], &draw(&mut seeded(12), 4 * sizes[0]));
    let method = Method::default().with_probable_bound(1e-6).unwrap();
    let norm = JacobianSpectralNorm { method, ..JacobianSpectralNorm::default() };
    let found = norm.norms(&network.tape, |x| network.apply(x), &samples, &others).unwrap();
    for item in found.norms().items() {
        assert_eq!(item.bounds.guarantee.delta(), Some(1e-6));
        assert!(item.bounds.lower <= item.sigma && item.sigma <= item.bounds.upper && item.bounds.width() < 0.1);
    }
}

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
fn bounds_are_reduced_as_norms_are() {
    let tape = Tape::new(gpu());
    let factors = tape.constant(&tensor(&[3, 1], &[1.0, 2.0, 4.0])).unwrap();
    let samples = tensor(&[3, 5], &[0.0; 15]);
    let of = |reduction, delta| {
        let method = Method::Lanczos(Lanczos { delta, ..Lanczos::default() });
        let norm = JacobianSpectralNorm { method, reduction, ..JacobianSpectralNorm::default() };
        norm.norms(&tape, |x| x.multiply(&factors), &samples, &[]).unwrap().reduced_bounds()
    };
    for (reduction, exact) in [(Reduction::Max, 4.0), (Reduction::Sum, 7.0), (Reduction::Mean, 7.0 / 3.0)] {
        let bounds = of(reduction, Some(1e-6)).unwrap();
        assert!(bounds.lower <= exact && exact <= bounds.upper && bounds.width() < 0.05, "{reduction}: {bounds:?}");
        // A maximum fails with the bound of one sample alone, a sum with that of any.
        let delta = if reduction == Reduction::Max { 1e-6 } else { 3e-6 };
        assert!((bounds.guarantee.delta().unwrap() / delta - 1.0).abs() < 1e-12);
        assert_eq!(of(reduction, None).unwrap().upper, f64::INFINITY);
    }
    assert_eq!(of(Reduction::None, Some(1e-6)), None);
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
    let gpu = opnorm::Gpu::new().unwrap();
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

/// The gradient needs the vectors alone: nothing of the iterations that found them is kept.
#[test]
fn the_memory_of_a_gradient_does_not_grow_with_the_iterations() {
    // A device of its own: its counters are those of this test alone.
    let gpu = opnorm::Gpu::new().unwrap();
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
