//! Matrices without a derivative, without convergence or without elements.

use opnorm::Error;
use opnorm::norm::{Lanczos, Stop};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;

use crate::gpu;
use crate::tape::{draw, narrowed, seeded};

#[test]
fn what_has_no_derivative_is_refused() {
    let tape = Tape::new(gpu());
    let a = tape.input(&[2, 3, 3]).unwrap();
    let sigma = a.spectral_norm().unwrap().sum(&[0]).unwrap();
    let gradient = tape.grad(&sigma, &[&a]).unwrap();
    let e = tape.input(&[2, 3, 3]).unwrap();
    let curved = tape.jvp(&gradient, &[&a], &[&e]).unwrap();
    let first = tape.compile(&[&a], &[&sigma, &gradient[0]]).unwrap();
    let second = tape.compile(&[&a, &e], &curved).unwrap();
    let upload = |data: &[f32]| Tensor::from_slice(gpu(), &[2, 3, 3], data).unwrap();
    let apart = [3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0];
    let with = |item: [f32; 9]| upload(&[apart, item].concat());
    let along = upload(&[0.1; 18]);

    // A repeated value: a subgradient of norm 1 is there, a second derivative is not.
    let twice = with([2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]);
    let found = first.run(&[&twice]).unwrap();
    assert!((found[0].read(gpu()).unwrap()[0] - 5.0).abs() < 1e-5);
    let subgradient = found[1].read(gpu()).unwrap();
    let length: f32 = subgradient[9..].iter().map(|entry| entry * entry).sum();
    assert!((length - 1.0).abs() < 1e-4 && subgradient[17].abs() < 1e-4, "{subgradient:?}");
    let error = second.run(&[&twice, &along]).unwrap_err();
    assert!(matches!(error, Error::NotDifferentiable { item: 1, .. }), "{error}");
    assert!(error.to_string().contains("units of the largest"), "{error}");

    // Nothing: norm and derivative are 0.
    let zero = with([0.0; 9]);
    let found = first.run(&[&zero]).unwrap();
    assert!((found[0].read(gpu()).unwrap()[0] - 3.0).abs() < 1e-5);
    assert!(found[1].read(gpu()).unwrap()[9..].iter().all(|entry| *entry == 0.0));
    let error = second.run(&[&zero, &along]).unwrap_err();
    assert!(error.to_string().contains("zero"), "{error}");

    // What is not a number stays so, in its own item.
    let broken = with([f32::NAN; 9]);
    let found = first.run(&[&broken]).unwrap();
    let gradient = found[1].read(gpu()).unwrap();
    assert!(found[0].read(gpu()).unwrap()[0].is_nan() && gradient[17].is_nan() && (gradient[0] - 1.0).abs() < 1e-4);
    assert!(second.run(&[&broken, &along]).unwrap()[0].read(gpu()).unwrap()[17].is_nan());
}

/// A matrix that is not square, augmented, has the eigenvalue 0: a small singular value must stand apart from 0, too.
#[test]
fn a_singular_value_next_to_zero_has_no_derivative() {
    let tape = Tape::new(gpu());
    let tall = tape.input(&[1, 3, 2]).unwrap();
    let slopes = tape.grad(&tall.nuclear_norm().unwrap().sum(&[0]).unwrap(), &[&tall]).unwrap();
    let along_tall = tape.input(&[1, 3, 2]).unwrap();
    let curved_tall = tape.jvp(&slopes, &[&tall], &[&along_tall]).unwrap();
    let program = tape.compile(&[&tall, &along_tall], &curved_tall).unwrap();
    let run = |small: f32| {
        let matrix = Tensor::from_slice(gpu(), &[1, 3, 2], &[1.0, 0.0, 0.0, small, 0.0, 0.0]).unwrap();
        program.run(&[&matrix, &Tensor::zeros(gpu(), &[1, 3, 2]).unwrap()])
    };
    assert!(matches!(run(8e-7), Err(Error::NotDifferentiable { .. })));
    assert!(run(2e-6).is_ok());
}

#[test]
fn too_few_iterations_and_other_shapes_are_refused() {
    let tape = Tape::new(gpu());
    let a = tape.input(&[2, 3, 3]).unwrap();
    // Too few iterations are told; the solver is the caller's choice.
    let hurried = Lanczos { max_iter: 1, stop: Stop::Value { rtol: 1e-12 }, ..Lanczos::default() };
    let norm = a.spectral_norm_by(&hurried).unwrap();
    let drawn = Tensor::from_slice(gpu(), &[2, 3, 3], &narrowed(&draw(&mut seeded(1), 18))).unwrap();
    let error = tape.compile(&[&a], &[norm]).unwrap().run(&[&drawn]).unwrap_err();
    assert!(matches!(error, Error::NotConverged { .. }) && error.to_string().contains("iterations"), "{error}");

    assert!(matches!(tape.input(&[3]).unwrap().spectral_norm(), Err(Error::ShapeMismatch { .. })));
    let error = tape.input(&[3, 0]).unwrap().singular_triplet().unwrap_err().to_string();
    assert!(error.contains("singular triplet") && error.contains("a row and a column"), "{error}");
}

#[test]
fn empty_matrices_have_norm_zero() {
    for shape in [&[0, 3][..], &[3, 0], &[0, 2, 2], &[2, 0, 3]] {
        let tape = Tape::new(gpu());
        let a = tape.input(shape).unwrap();
        for norm in [a.spectral_norm().unwrap(), a.nuclear_norm().unwrap(), a.ky_fan_norm(2).unwrap()] {
            let program = tape.compile(&[&a], &[norm]).unwrap();
            let found = program.run(&[Tensor::zeros(gpu(), shape).unwrap()]).unwrap()[0].read(gpu()).unwrap();
            assert!(
                found.iter().all(|value| *value == 0.0)
                    && found.len() == shape[..shape.len() - 2].iter().product::<usize>()
            );
            assert_eq!(program.evaluate(&[Vec::new()]).unwrap()[0].len(), found.len());
        }
    }
}
