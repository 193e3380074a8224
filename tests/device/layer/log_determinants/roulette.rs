//! Roulette: weights with a mean of 1, values and gradients without a bias, and the least probability that is allowed.

use std::collections::BTreeMap;

use opnorm::layer::{Activation, InvertibleResidual, LogDeterminant, Probes, Roulette, Scope};
use opnorm::tape::Tape;
use opnorm::train::{Adam, Step};

use super::super::super::matrices::Source;
use super::super::gpu;
use super::{case, inner, multiple, tensor};

#[test]
fn weights_have_a_mean_of_1_and_fall_to_0_together() {
    let roulette = Roulette { stop: 0.3, certain: 3 };
    let weights = roulette.weights(gpu(), [2, 20_000], 9, 1).unwrap();
    let [blocks, terms, count] = weights.shape() else { panic!("{:?}", weights.shape()) };
    assert_eq!((*blocks, *count), (2, 20_000));
    let data = weights.read(gpu()).unwrap();
    let row = |term: usize| &data[term * count..(term + 1) * count];
    for term in 0..12 {
        let mean = row(term).iter().copied().map(f64::from).sum::<f64>() / *count as f64;
        let taken = 0.7f64.powf(term.saturating_sub(2) as f64);
        // A weight is 1 / taken with the probability `taken`.
        let error = ((1.0 / taken - 1.0) / *count as f64).sqrt();
        assert!((mean - 1.0).abs() <= 3.0 * error + 1e-6, "term {}: {mean} ± {error}", term + 1);
        let later = row(term + 1).iter().zip(row(term));
        assert!(later.into_iter().all(|(next, own)| *next == 0.0 || *own > 0.0), "a term after the last");
    }
    assert!(*terms > 12 && row(terms - 1).iter().chain(&data[data.len() - count..]).any(|weight| *weight > 0.0));
    let again = roulette.weights(gpu(), [2, 20_000], 9, 1).unwrap();
    assert_eq!(again.read(gpu()).unwrap(), data, "the same seed and stream");
    assert_ne!(roulette.weights(gpu(), [2, 20_000], 9, 2).unwrap().read(gpu()).unwrap(), data);
    let sure = Roulette { stop: 1.0, certain: 4 }.weights(gpu(), [1, 3], 9, 1).unwrap();
    assert_eq!((sure.shape(), sure.read(gpu()).unwrap()), (&[1, 4, 3][..], vec![1.0; 12]));
}

#[test]
fn the_mean_over_many_draws_has_no_bias() {
    // The hard case: all terms have one sign, and signs leave the trace of J = -0.85 I no variance of their own.
    let (case, exact) = (multiple(-0.85), 5.0 * f64::from(-0.85f32).ln_1p());
    for (stop, certain) in [(0.15, 2), (0.15, 0), (0.25, 1)] {
        let found = case.found(|tape, apply| {
            let weights = Roulette { stop, certain }.weights(gpu(), [1, 4000], 3, 0).unwrap();
            let weights = tape.constant(&weights).unwrap();
            let probes = case.probes(tape, Probes::Signs, 4000, 3);
            vec![apply(&LogDeterminant::Roulette { weights: &weights, probes: &probes })]
        });
        let [value, error] = [found[0][0][0], found[0][1][0]];
        println!("stop {stop}, {certain} certain: {value} ± {error}, exactly {exact}");
        assert!((value - exact).abs() <= 3.0 * error && error < 0.1 && error > 0.01, "{value} ± {error}, {exact}");
    }
}

#[test]
fn a_stop_is_chosen_within_the_variance_and_others_are_refused() {
    for norm in [0.0, 0.3, 0.9, 0.98] {
        let Roulette { stop, certain } = Roulette::below(norm).unwrap();
        assert!(stop <= 1.0 - norm * norm && stop > 0.0 && certain > 0);
    }
    for norm in [1.0, 1.5, -0.1, 1.0 - 1e-5, f64::NAN, f64::INFINITY] {
        let error = Roulette::below(norm).unwrap_err().to_string();
        assert!(error.contains("Lipschitz bound"), "{error}");
    }
    for stop in [0.0, 1e-9, 1.5, f64::NAN] {
        assert!(Roulette { stop, certain: 1 }.weights(gpu(), [1, 1], 0, 0).is_err(), "{stop}");
    }
    assert!(Roulette { stop: 0.5, certain: usize::MAX }.weights(gpu(), [1, 1], 0, 0).is_err());
    assert_eq!(Roulette { stop: 1.0, certain: 0 }.weights(gpu(), [1, 2], 0, 0).unwrap().shape(), [1, 1, 2]);
}

#[test]
fn programs_of_several_lengths_train_one_flow() {
    let mut source = Source::new(481);
    let case = case(&mut source, vec![inner(true, [3, 5], Activation::Tanh)], &[3], 0.4);
    let block = InvertibleResidual::new(case.layers[0].clone());
    let (x, roulette) = (tensor(&case.shape, &case.x), Roulette { stop: 0.5, certain: 2 });
    let prepared = |terms: usize| {
        let tape = Tape::new(gpu());
        let scope = Scope::training(&tape, &case.parameters).unwrap();
        let (x, probes) = (tape.input(&case.shape).unwrap(), tape.input(&[1, 1, 2, 3]).unwrap());
        let weights = tape.input(&[1, terms, 1]).unwrap();
        let method = LogDeterminant::Roulette { weights: &weights, probes: &probes };
        let (y, volume) = block.apply_with_log_determinant(&scope, "0", &x, &method).unwrap();
        assert!(volume.standard_error.is_none(), "one probe says nothing of its error");
        let half = y.square().unwrap().sum(&[1]).unwrap().scale(0.5).unwrap();
        let loss = half.subtract(&volume.value).unwrap().mean(&[0]).unwrap();
        Step::prepare(&scope, &[&x, &probes, &weights], &loss, Adam::default()).unwrap()
    };
    let (mut steps, mut last, mut losses) = (BTreeMap::<usize, Step>::new(), None::<usize>, Vec::new());
    for number in 0..40 {
        let weights = roulette.weights(gpu(), [1, 1], 7, number).unwrap();
        let probes = Probes::Signs.draw(gpu(), &[1, 1, 2, 3], 7, number).unwrap();
        let terms = weights.shape()[1];
        let mut step = steps.remove(&terms).unwrap_or_else(|| prepared(terms));
        if let Some(last) = last.and_then(|last| steps.get(&last)) {
            step.go_on_from(last).unwrap();
            let slot = |step: &Step| step.slots().next().unwrap().1.read(gpu()).unwrap();
            assert!(slot(&step) == slot(last) && slot(last).iter().any(|element| *element != 0.0));
        }
        step.run(&case.parameters, &[&x, &probes, &weights], 0.01).unwrap();
        losses.push(step.loss().read(gpu()).unwrap()[0]);
        assert_eq!(step.taken(), number + 1);
        last = Some(terms);
        steps.insert(terms, step);
    }
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    assert!(steps.len() > 1 && mean(&losses[30..]) < mean(&losses[..10]) - 0.05, "{losses:?}");
}
