//! Convolutions and pooling against their definitions.

use opnorm::Error;
use opnorm::tape::Tape;
use opnorm::tensor::{Conv2dOptions, Pool2dOptions, Tensor};

use super::table::{GROUPED, OVERLAPPING, UNEVEN};
use crate::gpu;
use crate::tape::{draw, seeded};

/// The definition, with a loop for each index, without the library.
fn naive_conv2d(
    x: &[f64],
    [batch, channels, high, wide]: [usize; 4],
    w: &[f64],
    of: [usize; 4],
    by: &Conv2dOptions,
) -> Vec<f64> {
    let [filters, own, tall, broad] = of;
    let count = |size: usize, kernel: usize, axis: usize| {
        (size + 2 * by.padding[axis] - by.dilation[axis] * (kernel - 1) - 1) / by.stride[axis] + 1
    };
    let (rows, cols) = (count(high, tall, 0), count(wide, broad, 1));
    let mut y = Vec::new();
    for n in 0..batch {
        for f in 0..filters {
            for row in 0..rows {
                for col in 0..cols {
                    let mut sum = 0.0;
                    for c in 0..own {
                        let channel = f / (filters / by.groups) * own + c;
                        for i in 0..tall {
                            for j in 0..broad {
                                let h = (row * by.stride[0] + i * by.dilation[0]).wrapping_sub(by.padding[0]);
                                let k = (col * by.stride[1] + j * by.dilation[1]).wrapping_sub(by.padding[1]);
                                if h < high && k < wide {
                                    sum += x[((n * channels + channel) * high + h) * wide + k]
                                        * w[((f * own + c) * tall + i) * broad + j];
                                }
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

#[test]
fn convolutions_are_those_of_the_definition() {
    let mut random = seeded(2);
    let cases = [
        ([2, 3, 5, 7], [4, 3, 3, 2], Conv2dOptions::default()),
        ([2, 2, 7, 5], [3, 2, 3, 2], UNEVEN),
        ([2, 6, 5, 4], [3, 2, 2, 2], GROUPED),
        ([1, 4, 6, 6], [8, 1, 3, 3], Conv2dOptions { padding: [1, 1], groups: 4, ..Conv2dOptions::default() }),
    ];
    for (of_x, of_w, convolution) in cases {
        let tape = Tape::new(gpu());
        let (x, w) = (tape.input(&of_x).unwrap(), tape.input(&of_w).unwrap());
        let program = tape.compile(&[&x, &w], &[x.conv2d(&w, &convolution).unwrap()]).unwrap();
        let (x, w) = (draw(&mut random, of_x.iter().product()), draw(&mut random, of_w.iter().product()));
        let naive = naive_conv2d(&x, of_x, &w, of_w, &convolution);
        let found = program.evaluate(&[&x, &w]).unwrap().remove(0);
        assert_eq!(found.len(), naive.len());
        for (found, naive) in found.iter().zip(&naive) {
            assert!((found - naive).abs() < 1e-12, "{found} and {naive}");
        }
    }
}

#[test]
fn convolutions_that_do_not_fit_are_refused() {
    let tape = Tape::new(gpu());
    let (x, w) = (tape.input(&[1, 2, 4, 4]).unwrap(), tape.input(&[2, 2, 3, 3]).unwrap());
    let halved = Conv2dOptions { stride: [2, 2], ..Conv2dOptions::default() };
    let y = x.conv2d(&w, &halved).unwrap();
    for size in [[3, 3], [4, 4], [3, 4]] {
        assert_eq!(y.conv2d_transposed(&w, &halved, size).unwrap().shape(), [1, 2, size[0], size[1]]);
    }
    for size in [[5, 4], [4, 2], [0, 0]] {
        let error = y.conv2d_transposed(&w, &halved, size).unwrap_err();
        assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    }
    let flat = tape.input(&[4]).unwrap();
    assert!(flat.conv2d(&w, &halved).is_err() && x.conv2d(&flat, &halved).is_err());
    assert!(
        flat.conv2d_transposed(&w, &halved, [3, 3]).is_err() && y.conv2d_transposed(&flat, &halved, [3, 3]).is_err()
    );
}

#[test]
fn pooling_is_that_of_the_definition() {
    let (planes, high, wide) = (3, 7, 5);
    let x = draw(&mut seeded(3), planes * high * wide);
    for pooling in [Pool2dOptions::new([2, 2]), Pool2dOptions::new([7, 1]), OVERLAPPING] {
        let Pool2dOptions { size, stride, padding, dilation } = pooling.clone();
        let count = |from: usize, axis: usize| {
            (from + 2 * padding[axis] - dilation[axis] * (size[axis] - 1) - 1) / stride[axis] + 1
        };
        let mut naive: [Vec<f64>; 3] = Default::default();
        for plane in 0..planes {
            for row in 0..count(high, 0) {
                for col in 0..count(wide, 1) {
                    let mut seen = Vec::new();
                    for i in 0..size[0] {
                        for j in 0..size[1] {
                            let h = (row * stride[0] + i * dilation[0]).wrapping_sub(padding[0]);
                            let k = (col * stride[1] + j * dilation[1]).wrapping_sub(padding[1]);
                            if h < high && k < wide {
                                seen.push(x[(plane * high + h) * wide + k]);
                            }
                        }
                    }
                    let sum: f64 = seen.iter().sum();
                    naive[0].push(seen.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                    naive[1].push(sum / (size[0] * size[1]) as f64);
                    naive[2].push(sum / seen.len() as f64);
                }
            }
        }
        let tape = Tape::new(gpu());
        let value = tape.input(&[planes, high, wide]).unwrap();
        let averages = [true, false].map(|count| value.average_pool2d(&pooling, count).unwrap());
        let outputs = [&value.max_pool2d(&pooling).unwrap(), &averages[0], &averages[1]];
        let found = tape.compile(&[&value], &outputs).unwrap().evaluate(&[&x]).unwrap();
        for (found, naive) in found.iter().zip(&naive) {
            assert_eq!(found.len(), naive.len());
            // The reciprocal of a number of elements is an f32.
            assert!(found.iter().zip(naive).all(|(found, naive)| (found - naive).abs() < 1e-6), "{pooling:?}");
        }
    }
}

#[test]
fn the_first_of_equals_takes_the_slope_and_nan_stays() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[1, 2, 4]).unwrap();
    let y = x.max_pool2d(&Pool2dOptions::new([2, 2])).unwrap();
    let slope = tape.vjp(&[&y], &[&x], &[tape.fill(&[1, 1, 2], 1.0).unwrap()]).unwrap().remove(0);
    let whole = x.reshape(&[8]).unwrap().max(0).unwrap();
    let along = tape.grad(&whole, &[&x]).unwrap().remove(0);
    let program = tape.compile(&[&x], &[&y, &slope, &along]).unwrap();
    let given = [1.0f32, 5.0, -0.0, 0.0, 5.0, 5.0, -1.0, 0.0];
    let run = |given: [f32; 8]| {
        let found = program.run(&[Tensor::from_slice(gpu(), &[1, 2, 4], &given).unwrap()]).unwrap();
        let found: Vec<Vec<f32>> = found.iter().map(|found| found.read(gpu()).unwrap()).collect();
        let twins = program.evaluate(&[given.map(f64::from)]).unwrap();
        for (found, twin) in found.iter().flatten().zip(twins.iter().flatten()) {
            assert!(f64::from(*found) == *twin || found.is_nan() && twin.is_nan(), "{found} and {twin}");
        }
        found
    };
    let found = run(given);
    assert_eq!(found[0], [5.0, 0.0]);
    assert_eq!(found[1], [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    // Over all eight.
    assert_eq!(found[2], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    for nan in [f32::NAN, f32::from_bits(0xffc0_0001)] {
        let found = run([1.0, f32::INFINITY, 2.0, 3.0, nan, 0.0, 1.0, 1.0]);
        assert!(found[0][0].is_nan() && found[0][1] == 3.0, "{found:?}");
        // No element of this window has a slope.
        assert_eq!(
            found[1].iter().map(|slope| slope.is_nan()).collect::<Vec<_>>(),
            [0, 0, 1, 1, 0, 0, 1, 1].map(|own| own == 0)
        );
        assert_eq!((found[1][2], found[1][3]), (0.0, 1.0));
    }
    // Padding is below all.
    let padded = x.max_pool2d(&Pool2dOptions { padding: [1, 1], ..Pool2dOptions::new([2, 2]) }).unwrap();
    let padded = tape.compile(&[&x], &[padded]).unwrap().evaluate(&[[f64::NEG_INFINITY; 8]]).unwrap();
    assert_eq!(padded[0], [f64::NEG_INFINITY; 6]);
    let error = x.max_pool2d(&Pool2dOptions { padding: [2, 0], ..Pool2dOptions::new([2, 2]) }).unwrap_err();
    assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
}
