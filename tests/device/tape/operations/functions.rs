//! Functions of elements and of axes where differences fail: at kinks, at large arguments, at NaN, and where a slope is
//! stopped.

use opnorm::Result;
use opnorm::tape::{BatchNorm, Fusion, Tape, Value};
use opnorm::tensor::Tensor;

use crate::gpu;

#[test]
fn slopes_at_kinks_are_the_documented_ones() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[]).unwrap();
    for (value, slope) in [(x.relu(), 0.0), (x.abs(), 0.0), (x.leaky_relu(0.25), 0.25), (x.elu(1.5), 1.5)] {
        let found = tape.grad(&value.unwrap(), &[&x]).unwrap();
        assert_eq!(tape.compile(&[&x], &found).unwrap().evaluate(&[[0.0]]).unwrap()[0], [slope]);
    }
}

#[test]
fn functions_stay_finite_far_out() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[6]).unwrap();
    let outputs = [x.tanh(), x.sigmoid(), x.softplus(), x.elu(1.0), x.gelu(), x.silu()].map(Result::unwrap);
    let slopes = outputs.clone().map(|y| tape.vjp(&[y], &[&x], &[tape.fill(&[6], 1.0).unwrap()]).unwrap().remove(0));
    let program = tape.compile(&[&x], &outputs.into_iter().chain(slopes).collect::<Vec<_>>()).unwrap();
    let far = [-1e4f32, -200.0, -100.0, 100.0, 200.0, 1e4];
    let found = program.run(&[Tensor::from_slice(gpu(), &[6], &far).unwrap()]).unwrap();
    let twins = program.evaluate(&[far.map(f64::from)]).unwrap();
    for (found, twin) in found.iter().zip(&twins) {
        for (found, twin) in found.read(gpu()).unwrap().into_iter().zip(twin) {
            assert!((f64::from(found) - twin).abs() <= 1e-6 * (1.0 + twin.abs()), "{found} and {twin}");
        }
    }
}

#[test]
fn a_maximum_hides_no_nan_and_keeps_the_order_of_bits() {
    let tape = Tape::new(gpu());
    let (x, y) = (tape.input(&[6]).unwrap(), tape.input(&[6]).unwrap());
    let program = tape.compile(&[&x, &y], &[x.maximum(&y).unwrap(), x.minimum(&y).unwrap()]).unwrap();
    let negative_nan = f32::from_bits(0xffc0_0001);
    let left = [f32::NAN, 1.0, negative_nan, -0.0, 1e-40, f32::NEG_INFINITY];
    let right = [1.0, f32::NAN, 5.0, 0.0, 2e-40, -3.0];
    let upload = |data: &[f32]| Tensor::from_slice(gpu(), &[6], data).unwrap();
    let found = program.run(&[upload(&left), upload(&right)]).unwrap();
    let (largest, smallest) = (found[0].read(gpu()).unwrap(), found[1].read(gpu()).unwrap());
    assert!(largest[..3].iter().chain(&smallest[..3]).all(|value| value.is_nan()), "{largest:?} {smallest:?}");
    assert_eq!((largest[3].to_bits(), largest[4], largest[5]), (0, 2e-40, -3.0));
    assert_eq!(smallest[5], f32::NEG_INFINITY);
    // Softmax of numbers whose exponentials are out of range.
    let s = tape.compile(&[&x], &[x.softmax(0).unwrap(), x.log_softmax(0).unwrap()]).unwrap();
    let found = s.run(&[upload(&[1000.0, 1000.0, -1000.0, 0.0, 0.0, 0.0])]).unwrap();
    let (share, log) = (found[0].read(gpu()).unwrap(), found[1].read(gpu()).unwrap());
    assert!((share[0] - 0.5).abs() < 1e-6 && share[2] == 0.0 && (log[2] + 2000.0).abs() < 1.0, "{share:?} {log:?}");
}

#[test]
fn what_is_stopped_is_fixed_in_both_modes() {
    let tape = Tape::new(gpu());
    let (x, t) = (tape.input(&[2]).unwrap(), tape.input(&[2]).unwrap());
    let stopped = x.square().unwrap().stop_gradient().unwrap();
    let y = x.multiply(&stopped).unwrap();
    let along = tape.jvp(&[&y, &stopped], &[&x], &[&t]).unwrap();
    let back = tape.vjp(&[&y], &[&x], &[&t]).unwrap();
    let again = tape.vjp(&back, &[&x], &[&t]).unwrap();
    let program = tape.compile(&[&x, &t], &[&y, &along[0], &along[1], &back[0], &again[0]]).unwrap();
    let found = program.evaluate(&[[2.0, -3.0], [1.0, 10.0]]).unwrap();
    assert_eq!(found, [[8.0, -27.0], [4.0, 90.0], [0.0, 0.0], [4.0, 90.0], [0.0, 0.0]]);
    let there = program.run(&[&[2.0f32, -3.0], &[1.0, 10.0]].map(|x| Tensor::from_slice(gpu(), &[2], x).unwrap()));
    assert_eq!(there.unwrap()[1].read(gpu()).unwrap(), [4.0, 90.0]);
}

/// Values against formulas, because differences cannot tell where host and device are wrong alike.
#[test]
fn values_are_those_of_the_formulas() {
    let tape = Tape::new(gpu());
    let [x, long] = [&[1, 2, 2][..], &[1033]].map(|shape| tape.input(shape).unwrap());
    let [mean, variance, weight, bias] = [0; 4].map(|_| tape.input(&[2]).unwrap());
    let outputs = [
        x.batch_norm(&BatchNorm { mean: &mean, variance: &variance, weight: &weight, bias: &bias, epsilon: 1.0 })
            .unwrap(),
        x.gather(2, &[1, 0, 1]).unwrap(),
        tape.concatenate(&[&x, &x.negate().unwrap()], 2).unwrap(),
        long.max(0).unwrap(),
        x.frobenius_norm().unwrap(),
    ];
    let program = tape.compile(&[&x, &long, &mean, &variance, &weight, &bias], &outputs).unwrap();
    for place in [0, 1, 511, 512, 1023, 1031, 1032] {
        let mut numbers: Vec<f64> = (0..1033).map(|index| -1.0 - f64::from(index % 7)).collect();
        numbers[place] = -0.5;
        let given =
            [vec![1.0, 2.0, 2.0, -4.0], numbers, vec![1.0, -2.0], vec![3.0, 8.0], vec![2.0, 3.0], vec![0.5, -1.0]];
        let known = [
            vec![0.5, 1.5, 3.0, -3.0],
            vec![2.0, 1.0, 2.0, -4.0, 2.0, -4.0],
            vec![1.0, 2.0, -1.0, -2.0, 2.0, -4.0, -2.0, 4.0],
            vec![-0.5],
            vec![5.0],
        ];
        let found = program.evaluate(&given).unwrap();
        for (found, known) in found.iter().flatten().zip(known.iter().flatten()) {
            assert!((found - known).abs() < 1e-12, "{found} and {known}");
        }
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), known.each_ref().map(Vec::len));
    }
}

/// Neither `min`, a comparison nor a logarithm may pass over a NaN, alone or in a fused kernel.
#[test]
fn no_function_hides_a_nan() {
    for fusion in [Fusion::Never, Fusion::Always] {
        let tape = Tape::new(gpu()).fusing(fusion);
        let x = tape.input(&[2]).unwrap();
        let mut values = vec![("normal_cdf", x.normal_cdf()), ("tanh", x.tanh()), ("sigmoid", x.sigmoid())];
        values.extend([("softplus", x.softplus()), ("relu", x.relu()), ("elu", x.elu(1.0)), ("selu", x.selu())]);
        values.extend([("gelu", x.gelu()), ("gelu_tanh", x.gelu_tanh()), ("silu", x.silu()), ("abs", x.abs())]);
        values.extend([("exp", x.exp()), ("log", x.log()), ("sqrt", x.sqrt()), ("leaky_relu", x.leaky_relu(0.5))]);
        values.extend([("sin", x.sin()), ("cos", x.cos()), ("softmax", x.softmax(0)), ("max", x.max(0))]);
        values.extend([1.0, 3.0, -2.0, 0.5, 2.5, -1.5, 65.0].map(|p| ("power", x.power(p))));
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        let values: Vec<Value> = values.into_iter().map(|(_, value)| value.unwrap()).collect();
        let program = tape.compile(&[&x], &values).unwrap();
        let found = program.run(&[Tensor::from_slice(gpu(), &[2], &[f32::NAN, 0.5]).unwrap()]).unwrap();
        let hides = |found: &Tensor| !found.read(gpu()).unwrap()[0].is_nan();
        let hiding: Vec<&&str> =
            names.iter().zip(&found).filter(|(_, found)| hides(found)).map(|(name, _)| name).collect();
        assert!(hiding.is_empty(), "{fusion:?}: {hiding:?}");
    }
}
