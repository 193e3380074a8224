//! Layers: names, first values, bounds that hold, units of mean 0 and deviation 1.

use opnorm::Error;
use opnorm::layer::{
    Activation, Bjorck, Constant, Conv2d, ConvTranspose2d, Deviation, Divisor, Fan, Flatten, Initialiser, Layer,
    Linear, Normal, Orthogonal, Parameters, Random, Scaled, Scope, Sequential, SpectralNormalisation, Uniform,
    WeightNormalisation,
};
use opnorm::norm::spectral_norm;
use opnorm::tape::Tape;
use opnorm::tensor::{Conv2dOptions, Tensor};

use super::{gpu, output};

/// The spectral norm of a layer without bias that is linear, for samples of a shape.
fn norm(layer: &dyn Layer, parameters: &Parameters, shape: &[usize]) -> f64 {
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, parameters).unwrap();
    let x = tape.input(shape).unwrap();
    let y = layer.apply(&scope, "", &x).unwrap();
    let point = Tensor::zeros(gpu(), shape).unwrap();
    let (values, tensors) = (scope.inputs(&[&x]), parameters.tensors(&[&point]));
    let at: Vec<_> = values.iter().copied().zip(tensors).collect();
    let jacobian = tape.linearize(&y, &x, &at).unwrap();
    spectral_norm(&jacobian).unwrap().items()[0].sigma
}

#[test]
fn names_are_those_of_checkpoints_and_values_those_of_the_seed() {
    let network = Sequential::new()
        .then(Conv2d::new(1, 4, [3, 3]).parametrised(WeightNormalisation::default()))
        .then(Activation::Relu)
        .then(Flatten)
        .then_named("head", Sequential::new().then(Linear::new(4, 2).parametrised(SpectralNormalisation::hooks())));
    let parameters = Parameters::initial(gpu(), &network, 5).unwrap();
    let names: Vec<&str> = parameters.names().collect();
    let of_first = ["0.parametrizations.weight.original0", "0.parametrizations.weight.original1", "0.bias"];
    assert_eq!(
        names,
        [&of_first[..], &["head.0.weight_orig", "head.0.weight_u", "head.0.weight_v", "head.0.bias"]].concat()
    );
    let again = Parameters::initial(gpu(), &network, 5).unwrap();
    let other = Parameters::initial(gpu(), &network, 6).unwrap();
    assert_eq!(parameters.read(names[1]).unwrap(), again.read(names[1]).unwrap());
    assert_ne!(parameters.read(names[1]).unwrap(), other.read(names[1]).unwrap());
    let unknown = parameters.tensor("1.weight").unwrap_err();
    assert!(unknown.to_string().contains("no parameter `1.weight`; there are: 0.param"), "{unknown}");
    let twice = Sequential::new().then_named("a", Linear::new(1, 1)).then_named("a", Linear::new(1, 1));
    let error = Parameters::initial(gpu(), &twice, 0).unwrap_err();
    assert!(matches!(error, Error::InvalidOption { ref value, .. } if value == "`a.weight`"), "{error}");
    assert!(parameters.write(names[2], &[0.0; 3]).is_err());
}

#[test]
fn first_values_have_their_deviations() {
    let shape = [64, 32, 3, 3];
    let moments = |initial: &dyn Initialiser| {
        let values = initial.draw(&shape, &mut Random::new(1, 2));
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, square.sqrt())
    };
    let (fan_in, fan_out) = (288f64, 576f64);
    let rows: [(&dyn Initialiser, f64, f64); 7] = [
        (&Constant(0.5), 0.5, 0.0),
        (&Uniform { low: 1.0, high: 3.0 }, 2.0, 1.0 / 3f64.sqrt()),
        (&Normal { mean: -1.0, deviation: 0.2 }, -1.0, 0.2),
        (&Scaled::kaiming_uniform(0.0), 0.0, (2.0 / fan_in).sqrt()),
        (&Scaled::kaiming_normal(1.0), 0.0, (1.0 / fan_in).sqrt()),
        (&Scaled::xavier_normal(2.0), 0.0, 2.0 * (2.0 / (fan_in + fan_out)).sqrt()),
        (&Scaled { fan: Fan::Out, ..Scaled::xavier_uniform(1.0) }, 0.0, (1.0 / fan_out).sqrt()),
    ];
    for (initial, mean, deviation) in rows {
        let found = moments(initial);
        let allowed = 4.0 * (deviation + 1e-9) / (shape.iter().product::<usize>() as f64).sqrt();
        assert!((found.0 - mean).abs() < allowed && (found.1 - deviation).abs() < allowed, "{initial:?}: {found:?}");
    }
    for (rows, cols) in [(5, 3), (3, 5), (4, 4)] {
        let values = Orthogonal { gain: 2.0 }.draw(&[rows, cols], &mut Random::new(3, 0));
        let side = rows.min(cols);
        for (one, other) in (0..side).flat_map(|one| (0..side).map(move |other| (one, other))) {
            let place = |line: usize, along: usize| if rows < cols { line * cols + along } else { along * cols + line };
            let product = |along| f64::from(values[place(one, along)]) * f64::from(values[place(other, along)]);
            let sum: f64 = (0..rows.max(cols)).map(product).sum();
            assert!((sum - if one == other { 4.0 } else { 0.0 }).abs() < 1e-5, "{rows} x {cols}");
        }
    }
}

#[test]
fn convolutions_stay_below_their_bounds() {
    let mut tightest = f64::INFINITY;
    for (seed, (kernel, stride, padding, dilation, groups)) in
        [([3, 3], 1, 1, 1, 1), ([3, 2], 2, 0, 1, 2), ([2, 2], 2, 0, 1, 1), ([3, 3], 1, 2, 2, 1), ([1, 1], 1, 0, 1, 2)]
            .into_iter()
            .enumerate()
    {
        let sliding = Conv2dOptions { stride: [stride; 2], padding: [padding; 2], dilation: [dilation; 2], groups };
        let layer = Conv2d::new(4, 6, kernel).sliding(sliding.clone()).without_bias();
        let parameters = Parameters::initial(gpu(), &layer, seed as u64).unwrap();
        let bounds = layer.lipschitz("", &parameters).unwrap();
        let sigma = norm(&layer, &parameters, &[1, 4, 12, 12]);
        assert!(sigma <= bounds.upper * (1.0 + 1e-6) && sigma > 0.0, "{kernel:?}: {sigma}, {bounds}");
        tightest = tightest.min(bounds.upper / sigma);
        let layer = ConvTranspose2d::new(4, 6, kernel).sliding(sliding, [0, 0]).without_bias();
        let parameters = Parameters::initial(gpu(), &layer, seed as u64).unwrap();
        let bounds = layer.lipschitz("", &parameters).unwrap();
        let sigma = norm(&layer, &parameters, &[1, 4, 7, 7]);
        assert!(sigma <= bounds.upper * (1.0 + 1e-6), "transposed {kernel:?}: {sigma}, {bounds}");
        tightest = tightest.min(bounds.upper / sigma);
    }
    // Windows that do not meet are a matrix.
    assert!(tightest < 1.0 + 1e-5, "{tightest}");
}

#[test]
fn activations_are_as_steep_as_they_say() {
    let activations = [
        Activation::Relu,
        Activation::LeakyRelu(2.5),
        Activation::LeakyRelu(0.1),
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softplus,
        Activation::Elu,
        Activation::Abs,
    ];
    let points: Vec<f32> = (-40_000..=40_000).map(|step| step as f32 / 2_000.0).collect();
    for activation in activations {
        let tape = Tape::new(gpu());
        let parameters = Parameters::none(gpu());
        let scope = Scope::evaluation(&tape, &parameters).unwrap();
        let x = tape.input(&[points.len()]).unwrap();
        let y = activation.apply(&scope, "", &x).unwrap();
        let slope = tape.vjp(&[&y], &[&x], &[&tape.fill(&[points.len()], 1.0).unwrap()]).unwrap();
        let program = tape.compile(&[&x], &slope).unwrap();
        let found =
            &program.evaluate(&[points.iter().map(|point| f64::from(*point)).collect::<Vec<f64>>()]).unwrap()[0];
        let steepest = found.iter().fold(0f64, |steepest, slope| steepest.max(slope.abs()));
        let bounds = activation.lipschitz("", &parameters).unwrap();
        assert!(steepest <= bounds.upper && steepest >= bounds.lower - 1e-7, "{activation:?}: {steepest}, {bounds}");
    }
}

#[test]
fn bjorck_makes_every_singular_value_one() {
    for (order, rows, cols) in [(1, 5, 3), (2, 3, 5), (3, 4, 4)] {
        let layer = Linear::new(cols, rows).parametrised(Bjorck { order, iterations: 40 }).without_bias();
        let parameters = Parameters::initial(gpu(), &layer, 9).unwrap();
        let identity: Vec<f32> =
            (0..cols * cols).map(|index| if index % (cols + 1) == 0 { 1.0 } else { 0.0 }).collect();
        // The rows of the output are the columns of the weight.
        let columns = output(&layer, &parameters, &[cols, cols], &identity, false);
        let side = rows.min(cols);
        for (one, other) in (0..side).flat_map(|one| (0..side).map(move |other| (one, other))) {
            let place = |line: usize, along: usize| if rows < cols { along * rows + line } else { line * rows + along };
            let product = |along| f64::from(columns[place(one, along)]) * f64::from(columns[place(other, along)]);
            let sum: f64 = (0..rows.max(cols)).map(product).sum();
            assert!((sum - f64::from(u8::from(one == other))).abs() < 1e-5, "{order}: {rows} x {cols}: {sum}");
        }
        let bounds = layer.lipschitz("", &parameters).unwrap();
        assert!(bounds.upper < 1.0 + 1e-5, "{bounds}");
    }
    for (how, words) in
        [(Bjorck { order: 4, iterations: 1 }, "order is 4"), (Bjorck { order: 1, iterations: 0 }, "iterations")]
    {
        let layer = Linear::new(2, 2).parametrised(how);
        let parameters = Parameters::initial(gpu(), &layer, 0).unwrap();
        assert!(layer.lipschitz("", &parameters).unwrap_err().to_string().contains(words));
    }
}

/// The mean and deviation of each unit, and the largest distance from 0 and 1.
fn distance(values: &[f32], [batch, units, size]: [usize; 3], deviation: Deviation) -> [f64; 2] {
    let (mut of_mean, mut of_deviation) = (0f64, 0f64);
    for unit in 0..units {
        let samples: Vec<f64> = (0..batch * size)
            .map(|index| f64::from(values[(index / size * units + unit) * size + index % size]))
            .collect();
        let count = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
        let found = (squares / if deviation == Deviation::Sample { count - 1.0 } else { count }).sqrt();
        of_mean = of_mean.max(mean.abs());
        of_deviation = of_deviation.max((found - 1.0).abs());
    }
    [of_mean, of_deviation]
}

#[test]
fn units_have_mean_0_and_deviation_1_over_the_batch() {
    let mut random = Random::new(4, 0);
    let mut draw = |count: usize| (0..count).map(|_| (3.0 * random.normal() + 1.0) as f32).collect::<Vec<f32>>();
    for deviation in [Deviation::Population, Deviation::Sample] {
        let linear: [Box<dyn Layer>; 2] =
            [Box::new(Linear::new(6, 5)), Box::new(Linear::new(6, 5).parametrised(WeightNormalisation::hooks()))];
        for layer in linear {
            let parameters = Parameters::initial(gpu(), &*layer, 2).unwrap();
            let batch = Tensor::from_slice(gpu(), &[40, 6], &draw(240)).unwrap();
            let (found, y) = layer.standardise("", &parameters, &batch, deviation).unwrap();
            assert!(found[0].constant.is_empty() && found[0].deviations.len() == 5);
            let [mean, off] = distance(&y.read(gpu()).unwrap(), [40, 5, 1], deviation);
            assert!(mean < 1e-6 && off < 1e-6, "{mean:e} {off:e}");
        }
        let layer = Conv2d::new(2, 3, [2, 2]).parametrised(WeightNormalisation::default());
        let parameters = Parameters::initial(gpu(), &layer, 2).unwrap();
        let batch = Tensor::from_slice(gpu(), &[5, 2, 4, 4], &draw(160)).unwrap();
        let (_, y) = layer.standardise("", &parameters, &batch, deviation).unwrap();
        let [mean, off] = distance(&y.read(gpu()).unwrap(), [5, 3, 9], deviation);
        assert!(mean < 1e-6 && off < 1e-6, "{mean:e} {off:e}");
    }
    // A unit that is constant keeps its scale, and is reported.
    let layer = Linear::new(2, 2);
    let parameters = Parameters::initial(gpu(), &layer, 2).unwrap();
    parameters.write("weight", &[0.0, 0.0, 1.0, 2.0]).unwrap();
    let batch = Tensor::from_slice(gpu(), &[3, 2], &[1.0, 2.0, 3.0, 4.0, 7.0, 5.0]).unwrap();
    let (found, y) = layer.standardise("", &parameters, &batch, Deviation::Population).unwrap();
    assert_eq!(found[0].constant, [0]);
    assert!(y.read(gpu()).unwrap().iter().step_by(2).all(|output| output.abs() < 1e-7));
    let alone = Tensor::from_slice(gpu(), &[1, 2], &[1.0, 2.0]).unwrap();
    assert!(
        layer.standardise("", &parameters, &alone, Deviation::Sample).unwrap_err().to_string().contains("two samples")
    );
    let spectral = Linear::new(2, 2).parametrised(SpectralNormalisation::default());
    let parameters = Parameters::initial(gpu(), &spectral, 2).unwrap();
    let refused = spectral.standardise("", &parameters, &batch, Deviation::Sample).unwrap_err();
    assert!(refused.to_string().contains("scale the units"), "{refused}");
}

#[test]
fn a_linear_layer_takes_a_vector_without_a_batch() {
    let layer = Linear::new(3, 4);
    let parameters = Parameters::initial(gpu(), &layer, 2).unwrap();
    let [alone, in_a_batch] =
        [&[3][..], &[1, 3]].map(|shape| output(&layer, &parameters, shape, &[1.0, -2.0, 0.5], false));
    assert_eq!((alone.len(), alone), (4, in_a_batch));
}

#[test]
fn gradients_of_layers_agree_with_differences() {
    let spectral = |divisor, cap| SpectralNormalisation { divisor, cap, ..SpectralNormalisation::default() };
    let window = Conv2dOptions { stride: [2, 1], padding: [1, 0], ..Conv2dOptions::default() };
    let layers: [(Box<dyn Layer>, &[usize]); 9] = [
        (Box::new(Linear::new(3, 4)), &[2, 3]),
        (Box::new(Linear::new(3, 4)), &[3]),
        (Box::new(Linear::new(3, 4).parametrised(spectral(Divisor::Estimate, None))), &[2, 3]),
        (Box::new(Linear::new(3, 4).parametrised(spectral(Divisor::Converged, None))), &[2, 3]),
        (Box::new(Linear::new(3, 4).parametrised(spectral(Divisor::Converged, Some(0.3)))), &[2, 3]),
        (Box::new(Linear::new(3, 4).parametrised(Bjorck { order: 3, iterations: 2 })), &[2, 3]),
        (Box::new(Conv2d::new(2, 3, [2, 3]).sliding(window.clone())), &[1, 2, 4, 5]),
        (
            Box::new(
                Conv2d::new(2, 3, [3, 2])
                    .parametrised(WeightNormalisation { axis: None, ..WeightNormalisation::default() }),
            ),
            &[1, 2, 4, 5],
        ),
        (
            Box::new(
                ConvTranspose2d::new(2, 3, [2, 3]).sliding(window, [1, 0]).parametrised(WeightNormalisation::hooks()),
            ),
            &[1, 2, 3, 4],
        ),
    ];
    for (seed, (layer, shape)) in layers.iter().enumerate() {
        let parameters = Parameters::initial(gpu(), &**layer, seed as u64).unwrap();
        let tape = Tape::new(gpu());
        let scope = Scope::evaluation(&tape, &parameters).unwrap();
        let x = tape.input(shape).unwrap();
        let y = layer.apply(&scope, "", &x).unwrap();
        let mut random = Random::new(seed as u64, 99);
        let mut at: Vec<Vec<f64>> = vec![(0..shape.iter().product()).map(|_| random.normal()).collect()];
        for (name, ..) in parameters.iter() {
            at.push(parameters.read(name).unwrap().into_iter().map(f64::from).collect());
        }
        let at: Vec<&[f64]> = at.iter().map(Vec::as_slice).collect();
        let report = tape.check_gradients(&[&y], &scope.inputs(&[&x]), &at).unwrap();
        // u and v are constants by definition, although the output moves with them.
        let names = std::iter::once("x").chain(parameters.names());
        for (name, row) in
            names.zip(&report.rows).filter(|(name, _)| !name.ends_with("0._u") && !name.ends_with("0._v"))
        {
            assert!(row.agrees(), "{layer:?}, {name}: {report}");
        }
    }
}
