//! Penalties of an equilibrium's Jacobian: estimates with their errors, norms, derivatives.

use opnorm::Error;
use opnorm::layer::{Layer, Probes, Scope};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::train::{Adam, Step};

use super::super::matrices::Source;
use super::equilibrium::{SIZE, additive, normal, outputs, scaled, subtracting, with_matrix};
use super::{expect_close, gpu};

#[test]
fn the_jacobian_penalty_is_an_estimate_with_its_standard_error() {
    let (layer, matrix, count) = (subtracting(), scaled(39, 0.9), 256);
    let parameters = with_matrix(&layer, "f.weight", &matrix);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let input = tape.input(&[2, SIZE]).unwrap();
    let z = layer.apply(&scope, "", &input).unwrap();
    let probes = Probes::Signs.draw(gpu(), &[count, 2, SIZE], 7, 0).unwrap();
    let probes = tape.constant(&probes).unwrap();
    let penalty = layer.jacobian_penalty(&scope, "", (&z, &input), &probes).unwrap();
    let (jacobian, norms) =
        (layer.jacobian(&scope, "", &z, &input).unwrap(), layer.jacobian_norms(&scope, "", &z, &input).unwrap());
    let wanted = [&penalty.value, &penalty.standard_error, &jacobian, &norms];
    let found = outputs(&scope, &parameters, (&input, &normal(40, 2 * SIZE)), &wanted).unwrap();
    let entries: Vec<f64> = matrix.entries.iter().copied().map(f64::from).collect();
    expect_close(&found[2], &entries.iter().map(|entry| -entry).collect::<Vec<_>>().repeat(2), 1e-6, "J");
    expect_close(&found[3], &[0.9; 2], 1e-5, "the norms of J");
    let exact = entries.iter().map(|entry| entry * entry).sum::<f64>() / SIZE as f64;
    let (value, error) = (f64::from(found[0][0]), f64::from(found[1][0]));
    assert!((value - exact).abs() <= 4.0 * error, "{value} ± {error}, {exact} exactly");
    // The variance of εᵀ M ε with signs ε is 2 Σ M_ij² off the diagonal of M = J Jᵀ; two items are averaged.
    let gram = |left: usize, right: usize| -> f64 {
        (0..SIZE).map(|col| entries[left * SIZE + col] * entries[right * SIZE + col]).sum()
    };
    let pairs = (0..SIZE * SIZE).map(|place| (place / SIZE, place % SIZE)).filter(|(left, right)| left != right);
    let variance = 2.0 * pairs.map(|(left, right)| gram(left, right).powi(2)).sum::<f64>() / (SIZE * SIZE) as f64;
    let expected = (variance / 2.0 / count as f64).sqrt();
    assert!(error > 0.7 * expected && error < 1.4 * expected, "{error} for {expected}");
    let few = tape.input(&[1, 2, SIZE]).unwrap();
    let refused = layer.jacobian_penalty(&scope, "", (&z, &input), &few);
    assert!(matches!(refused, Err(Error::ShapeMismatch { .. })));
}

#[test]
fn penalties_have_the_derivatives_of_differences() {
    let (layer, parameters) = additive();
    // Differences of a norm lose digits by the square of step / gap, so that the gap is wide.
    let (apart, _, _) = Source::new(46).with_spectrum(SIZE, SIZE, &[0.8, 0.3, 0.2, 0.1, 0.05]);
    parameters.write("state.weight", &apart.entries).unwrap();
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let input = tape.input(&[3]).unwrap();
    let z = layer.apply(&scope, "", &input).unwrap();
    let probes = tape.constant(&Probes::Signs.draw(gpu(), &[4, 1, SIZE], 7, 1).unwrap()).unwrap();
    let frobenius = layer.jacobian_penalty(&scope, "", (&z, &input), &probes).unwrap().value;
    let spectral = layer.jacobian_norms(&scope, "", &z, &input).unwrap();
    let at: Vec<Vec<f64>> = [normal(41, 3)]
        .into_iter()
        .chain(parameters.names().map(|name| parameters.read(name).unwrap()))
        .map(|data| data.into_iter().map(f64::from).collect())
        .collect();
    let at: Vec<&[f64]> = at.iter().map(Vec::as_slice).collect();
    let report = tape.check_gradients(&[&frobenius, &spectral], &scope.inputs(&[&input]), &at).unwrap();
    assert!(report.agrees(), "{report}");
}

#[test]
fn a_penalised_equilibrium_is_trained() {
    let (layer, parameters) = additive();
    let tape = Tape::new(gpu());
    let scope = Scope::training(&tape, &parameters).unwrap();
    let (input, wanted, probes) =
        (tape.input(&[8, 3]).unwrap(), tape.input(&[8, SIZE]).unwrap(), tape.input(&[2, 8, SIZE]).unwrap());
    let z = layer.apply(&scope, "", &input).unwrap();
    let penalty = layer.jacobian_penalty(&scope, "", (&z, &input), &probes).unwrap().value;
    let loss = z.subtract(&wanted).unwrap().square().unwrap().mean(&[0, 1]).unwrap();
    let loss = loss.add(&penalty.scale(1e-3).unwrap()).unwrap();
    let mut step = Step::prepare(&scope, &[&input, &wanted, &probes], &loss, Adam::default()).unwrap();
    let tensor = |shape: &[usize], data: &[f32]| Tensor::from_slice(gpu(), shape, data).unwrap();
    let x = tensor(&[8, 3], &normal(50, 24));
    let goal: Vec<f32> = normal(51, 8 * SIZE).iter().map(|entry| 0.5 * entry.tanh()).collect();
    let (goal, mut losses) = (tensor(&[8, SIZE], &goal), Vec::new());
    for number in 0..60 {
        let signs = Probes::Signs.draw(gpu(), &[2, 8, SIZE], 7, number).unwrap();
        step.run(&parameters, &[&x, &goal, &signs], 0.02).unwrap();
        losses.push(step.loss().read(gpu()).unwrap()[0]);
    }
    assert!(losses[59] < 0.5 * losses[0], "{losses:?}");
}
