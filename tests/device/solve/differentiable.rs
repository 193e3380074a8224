//! Solutions and determinants on a tape, and their derivatives.

use std::path::Path;

use opnorm::Error;
use opnorm::operator::{self, LinearOperator};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use super::{distance, draw, gpu, inverse, largest, shifted, times, widened};

/// Solutions, and functions of them whose second derivatives do not vanish.
#[test]
fn derivatives_are_those_of_differences() {
    for (batch, size, vectors) in [(&[][..], 3, None), (&[], 4, Some(2)), (&[2], 3, None), (&[2, 2], 2, Some(3))] {
        let tape = Tape::new(gpu());
        let items = batch.iter().product::<usize>();
        let a = tape.input(&[batch, &[size, size]].concat()).unwrap();
        let rows: Vec<usize> = vectors.into_iter().chain([size]).collect();
        let b = tape.input(&[batch, &rows[..]].concat()).unwrap();
        let at_a = widened(&shifted(1, items, size, 3.0));
        let at_b = widened(&draw(2, items * vectors.unwrap_or(1) * size));
        let factored = a.factored().unwrap();
        let (x, y) = (factored.solve(&b).unwrap(), factored.solve_transposed(&b).unwrap());
        let volume = factored.log_abs_determinant().unwrap();
        let report = tape.check_gradients(&[&x, &y, &volume], &[&a, &b], &[&at_a, &at_b]).unwrap();
        assert!(report.agrees(), "{batch:?}\n{report}");

        let axes = |value: &Value| (0..value.shape().len()).collect::<Vec<_>>();
        let total = |value: &Value| value.square().unwrap().sum(&axes(value)).unwrap();
        let function = total(&x).add(&total(&y)).unwrap().add(&total(&volume)).unwrap();
        let slopes = tape.grad(&function, &[&a, &b]).unwrap();
        let report = tape.check_gradients(&[&slopes[0], &slopes[1]], &[&a, &b], &[&at_a, &at_b]).unwrap();
        assert!(report.agrees(), "second order, {batch:?}\n{report}");
    }
}

/// The numbers of `tests/data/make_solve_fixtures.py`.
fn stored(name: &str) -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/solve.json");
    let numbers: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    numbers[name].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn second_derivatives_are_those_of_pytorch() {
    let tape = Tape::new(gpu());
    let [a, da] = [0, 1].map(|_| tape.input(&[2, 4, 4]).unwrap());
    let [b, db] = [0, 1].map(|_| tape.input(&[2, 2, 4]).unwrap());
    let factored = a.factored().unwrap();
    let x = factored.solve(&b).unwrap();
    let weights = tape.constant(&Tensor::from_slice(gpu(), &[2], &[1.0, -0.5]).unwrap()).unwrap();
    let volume = factored.log_abs_determinant().unwrap().multiply(&weights).unwrap().sum(&[0]).unwrap();
    let function = x.power(3.0).unwrap().sum(&[0, 1, 2]).unwrap().add(&volume).unwrap();
    let slopes = tape.grad(&function, &[&a, &b]).unwrap();
    let products = tape.jvp(&slopes, &[&a, &b], &[&da, &db]).unwrap();
    let outputs: Vec<&Value> = [&x].into_iter().chain(&slopes).chain(&products).collect();
    let program = tape.compile(&[&a, &b, &da, &db], &outputs).unwrap();
    let given = ["matrices", "vectors", "matrices_along", "vectors_along"].map(stored);
    let names = ["solutions", "matrices_gradient", "vectors_gradient", "matrices_product", "vectors_product"];
    let shapes: [&[usize]; 4] = [&[2, 4, 4], &[2, 2, 4], &[2, 4, 4], &[2, 2, 4]];
    let tensors: Vec<Tensor> =
        given.iter().zip(shapes).map(|(data, shape)| Tensor::upload(gpu(), shape, data).unwrap()).collect();
    let (host, device) = (program.evaluate(&given).unwrap(), program.run(&tensors).unwrap());
    for ((name, host), device) in names.into_iter().zip(host).zip(device) {
        let (right, size) = (stored(name), largest(&stored(name)));
        assert!(distance(&host, &right) <= 1e-11 * size, "{name}");
        let error = distance(&widened(&device.read(gpu()).unwrap()), &right) / size;
        // The conditions of both matrices are below 20, and a second derivative solves four times.
        assert!(error <= 4.0 * 20.0 * 4.0 * 2f64.powi(-23), "{name}: {error:e}");
    }
}

/// The columns of an operator of one item.
fn columns(operator: &impl LinearOperator) -> Vec<Vec<f32>> {
    let [rows, cols] = [operator.codomain(), operator.domain()].map(|shape| shape.iter().product::<usize>());
    let shape = |domain: Vec<usize>| [vec![1, cols], domain].concat();
    let mut identity = vec![0.0; cols * cols];
    identity.iter_mut().step_by(cols + 1).for_each(|entry| *entry = 1.0);
    let input = Tensor::from_slice(gpu(), &shape(operator.domain()), &identity).unwrap();
    let output = Tensor::zeros(gpu(), &shape(operator.codomain())).unwrap();
    let mut recorder = gpu().recorder();
    operator.apply(&mut recorder, &input, &output).unwrap();
    recorder.submit_blocking().unwrap();
    output.read(gpu()).unwrap().chunks_exact(rows).map(<[f32]>::to_vec).collect()
}

/// dx_i / dA_jk = -(A⁻¹)_ij x_k as an array of n × n × n, and dx_i / db_j = (A⁻¹)_ij.
#[test]
fn jacobians_have_their_closed_forms() {
    let size = 5;
    let (entries, given) = (shifted(7, 1, size, 3.0), draw(8, size));
    let back = inverse(&widened(&entries), size);
    let solution = times(&back, &widened(&given));
    let tape = Tape::new(gpu());
    let (a, b) = (tape.input(&[1, size, size]).unwrap(), tape.input(&[1, size]).unwrap());
    let x = a.solve(&b).unwrap();
    let at_a = Tensor::from_slice(gpu(), &[1, size, size], &entries).unwrap();
    let at_b = Tensor::from_slice(gpu(), &[1, size], &given).unwrap();
    let point = [(&a, &at_a), (&b, &at_b)];
    let of_matrix = tape.linearize(&x, &a, &point).unwrap();
    assert_eq!((of_matrix.codomain(), of_matrix.domain()), (vec![size], vec![size, size]));
    for (place, column) in columns(&of_matrix).iter().enumerate() {
        let (row, col) = (place / size, place % size);
        let closed: Vec<f64> = (0..size).map(|out| -back[out * size + row] * solution[col]).collect();
        assert!(distance(&widened(column), &closed) <= 1e-5, "{row}, {col}");
    }
    let of_vector = tape.linearize(&x, &b, &point).unwrap();
    for (row, column) in columns(&of_vector).iter().enumerate() {
        let closed: Vec<f64> = (0..size).map(|out| back[out * size + row]).collect();
        assert!(distance(&widened(column), &closed) <= 1e-5, "{row}");
    }
    operator::check(&of_matrix, 1).unwrap();
    operator::check(&of_vector, 2).unwrap();
}

#[test]
fn a_singular_matrix_is_an_error_and_one_that_is_not_finite_shows() {
    let tape = Tape::new(gpu());
    let (a, b) = (tape.input(&[2, 2, 2]).unwrap(), tape.input(&[2, 2]).unwrap());
    let factored = a.factored().unwrap();
    let outputs = [factored.solve(&b).unwrap(), factored.log_abs_determinant().unwrap()];
    let program = tape.compile(&[&a, &b], &outputs).unwrap();
    let run = |entries: &[f32]| {
        let a = Tensor::from_slice(gpu(), &[2, 2, 2], entries).unwrap();
        program.run(&[a, Tensor::from_slice(gpu(), &[2, 2], &[1.0; 4]).unwrap()])
    };
    let error = run(&[1.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 4.0]).unwrap_err();
    assert!(matches!(error, Error::NotConverged { item: 1, .. }), "{error}");
    assert!(error.to_string().contains("column 1"), "{error}");
    let found = run(&[1.0, 0.0, 0.0, 1.0, f32::NAN, 1.0, 1.0, 0.0]).unwrap();
    assert!(found[1].read(gpu()).unwrap()[1].is_nan());
    let found = found[0].read(gpu()).unwrap();
    assert!(found[..2] == [1.0, 1.0] && found[2..].iter().any(|value| value.is_nan()), "{found:?}");
}

#[test]
fn shapes_are_checked_as_values_are_recorded() {
    let tape = Tape::new(gpu());
    let input = |shape: &[usize]| tape.input(shape).unwrap();
    let refused = |found: Result<Value, Error>| matches!(found, Err(Error::ShapeMismatch { .. }));
    assert!(refused(input(&[2, 3]).solve(&input(&[3]))));
    assert!(refused(input(&[3]).solve(&input(&[3]))));
    assert!(refused(input(&[3, 3]).solve(&input(&[2]))));
    assert!(refused(input(&[2, 3, 3]).solve(&input(&[3]))));
    assert!(refused(input(&[2, 3, 3]).log_abs_determinant().and_then(|value| value.reshape(&[3]))));
    let empty = input(&[0, 3, 3]).solve(&input(&[0, 3])).unwrap();
    assert_eq!(empty.shape(), [0, 3]);
}
