//! Limits: what is refused, and the values at the ends of what is not.

use opnorm::bound::{Bounds, Guarantee};
use opnorm::layer::{Activation, InvertibleNetwork, LogDeterminant, Parameters, Probes, Scope};
use opnorm::tape::Tape;

use super::super::super::matrices::Source;
use super::super::gpu;
use super::{Case, case, inner, tensor};

fn small(size: usize, norm: f64) -> Case {
    case(&mut Source::new(500), vec![inner(true, [size, 3], Activation::Tanh)], &[size], norm)
}

/// The message of the error of a method for two items of four elements.
fn refused(method: impl Fn(&Tape) -> LogDeterminant<'static>) -> String {
    let case = small(4, 0.5);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &case.parameters).unwrap();
    let x = tape.input(&case.shape).unwrap();
    case.network.apply_with_log_determinant(&scope, "", &x, &method(&tape)).unwrap_err().to_string()
}

#[test]
fn options_that_mean_nothing_are_refused() {
    // Each method keeps its inputs until the end of the test.
    let input = |tape: &Tape, shape: &[usize]| &*Box::leak(Box::new(tape.input(shape).unwrap()));
    for (shape, words) in [
        (vec![1, 0, 2, 4], "one probe or more for each of 1 blocks"),
        (vec![2, 3, 2, 4], "one probe or more for each of 1 blocks"),
        (vec![1, 3, 2, 5], "[2, 4]"),
        (vec![3, 2, 4], "[2, 4]"),
        (vec![], "[2, 4]"),
    ] {
        let error = refused(|tape| LogDeterminant::Series { terms: 3, probes: input(tape, &shape) });
        assert!(error.contains(words), "{error}");
    }
    for terms in [0, 1 << 20, usize::MAX] {
        let error = refused(|tape| LogDeterminant::Series { terms, probes: input(tape, &[1, 3, 2, 4]) });
        assert!(error.contains("terms") && error.contains("from 1 to 65536"), "{error}");
    }
    for weights in [vec![1, 3, 4], vec![2, 3, 3], vec![3, 3]] {
        let error = refused(|tape| LogDeterminant::Roulette {
            weights: input(tape, &weights),
            probes: input(tape, &[1, 3, 2, 4]),
        });
        assert!(error.contains("weights of 1 blocks, any terms and 3 probes"), "{error}");
    }
    let error = refused(|tape| LogDeterminant::Roulette {
        weights: input(tape, &[1, 0, 3]),
        probes: input(tape, &[1, 3, 2, 4]),
    });
    assert!(error.contains("terms"), "{error}");
    for (sketch, count) in [(0, 3), (3, 3), (5, 9), (usize::MAX, 3)] {
        let error =
            refused(|tape| LogDeterminant::HutchPlusPlus { terms: 3, sketch, probes: input(tape, &[1, count, 2, 4]) });
        assert!(error.contains("sketch") && error.contains("less than the number of probes"), "{error}");
    }
}

#[test]
fn without_a_bound_below_1_nothing_is_said_of_the_rest() {
    let case = small(4, 1.5);
    let bounds = case.network.truncation("", &case.parameters, 100, 4).unwrap();
    assert_eq!((bounds.upper, bounds.guarantee), (f64::INFINITY, Guarantee::None));
    let known = small(4, 0.5);
    let bounds = known.network.truncation("", &known.parameters, 5, 4).unwrap();
    assert!(bounds.upper < 0.05 && matches!(bounds.guarantee, Guarantee::Certified { .. }), "{bounds}");
    assert_ne!(bounds, Bounds::NONE);
}

#[test]
fn an_item_that_is_not_finite_has_no_value_and_spoils_no_other() {
    let mut case = small(4, 0.5);
    let plain = all(&case);
    case.x[1] = f32::NAN;
    for (spoilt, plain) in all(&case).iter().zip(&plain) {
        assert!(spoilt[0][0].is_nan() && spoilt[1][0].is_nan() || spoilt[1][0] == 0.0, "{spoilt:?}");
        assert_eq!((spoilt[0][1], spoilt[1][1]), (plain[0][1], plain[1][1]));
    }
}

/// All methods' values and errors.
fn all(case: &Case) -> Vec<[Vec<f64>; 2]> {
    case.found(|tape, apply| {
        let probes = case.probes(tape, Probes::Normal, 3, 1);
        let weights = tape.constant(&tensor(&[1, 2, 3], &[1.0; 6])).unwrap();
        let methods = [
            LogDeterminant::Exact,
            LogDeterminant::Series { terms: 6, probes: &probes },
            LogDeterminant::Roulette { weights: &weights, probes: &probes },
            LogDeterminant::HutchPlusPlus { terms: 6, sketch: 1, probes: &probes },
        ];
        methods.iter().map(apply).collect()
    })
}

#[test]
fn one_dimension_needs_no_luck() {
    let case = small(1, 0.5);
    let exact = super::logarithm(&case.jacobians()[0][0]);
    let found = case.found(|tape, apply| {
        let probes = case.probes(tape, Probes::Signs, 3, 1);
        let series = LogDeterminant::Series { terms: 25, probes: &probes };
        let sketched = LogDeterminant::HutchPlusPlus { terms: 25, sketch: 1, probes: &probes };
        [series, sketched, LogDeterminant::Exact].iter().map(apply).collect()
    });
    for [values, errors] in &found {
        assert!((values[0] - exact).abs() < 1e-5 && errors[0] < 1e-5, "{values:?} ± {errors:?}, {exact}");
    }
}

#[test]
fn a_single_vector_is_a_batch_of_one_and_no_items_have_no_values() {
    let case = small(4, 0.5);
    let volumes = |shape: &[usize], items: usize| {
        let tape = Tape::new(gpu());
        let scope = Scope::evaluation(&tape, &case.parameters).unwrap();
        let x = tape.input(shape).unwrap();
        let probes = Probes::Signs.draw(gpu(), &[1, 2, items, 4], 1, 0).unwrap();
        let probes = tape.constant(&probes).unwrap();
        let methods = [LogDeterminant::Exact, LogDeterminant::Series { terms: 4, probes: &probes }];
        let mut outputs = Vec::new();
        for method in &methods {
            let (y, volume) = case.network.apply_with_log_determinant(&scope, "", &x, method).unwrap();
            assert_eq!((y.shape(), volume.value.shape()), (shape, &[items][..]));
            outputs.push(volume.value);
        }
        let program = tape.compile(&scope.inputs(&[&x]), &outputs).unwrap();
        let found = program.run(&case.parameters.tensors(&[&tensor(shape, &case.x[..4 * items])])).unwrap();
        found.iter().map(|found| found.read(gpu()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(volumes(&[4], 1), volumes(&[1, 4], 1));
    assert_eq!(volumes(&[0, 4], 0), [Vec::<f32>::new(), Vec::new()]);
}

#[test]
fn a_network_without_blocks_keeps_all_volumes() {
    let network = InvertibleNetwork::new();
    let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
    assert_eq!(network.truncation("", &parameters, 1, 3).unwrap().upper, 0.0);
    let tape = Tape::new(gpu());
    let scope = Scope::evaluation(&tape, &parameters).unwrap();
    let (x, probes) = (tape.input(&[2, 3]).unwrap(), tape.input(&[0, 1, 2, 3]).unwrap());
    let series = LogDeterminant::Series { terms: 1, probes: &probes };
    let (_, volume) = network.apply_with_log_determinant(&scope, "", &x, &series).unwrap();
    let outputs = [volume.value, volume.standard_error.unwrap()];
    let program = tape.compile(&[&x], &outputs).unwrap();
    for found in program.run(&[tensor(&[2, 3], &[1.0; 6])]).unwrap() {
        assert_eq!(found.read(gpu()).unwrap(), [0.0; 2]);
    }
}
