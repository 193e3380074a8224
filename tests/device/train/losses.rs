//! Losses and their gradients: against PyTorch, and against central differences.

use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::train::loss;
use opnorm::{Error, Result};

use super::{apart, narrowed, numbers, stored};
use crate::gpu;

fn loss_of(name: &str, scores: &Value, target: &Value) -> Result<Value> {
    match name {
        "cross_entropy" => loss::cross_entropy(scores, target, 0.0),
        "cross_entropy_smoothed" => loss::cross_entropy(scores, target, 0.125),
        "cross_entropy_of_shares" => loss::cross_entropy_of_shares(scores, target, 0.0),
        "cross_entropy_of_shares_smoothed" => loss::cross_entropy_of_shares(scores, target, 0.25),
        "mean_squared_error" => loss::mean_squared_error(scores, target),
        "hinge" => loss::hinge(scores, target, 1.0),
        "multi_class_hinge" => loss::multi_class_hinge(scores, target, 1.0),
        "kantorovich_rubinstein" => loss::kantorovich_rubinstein(scores, target),
        "hinge_kantorovich_rubinstein" => loss::hinge_kantorovich_rubinstein(scores, target, 0.5, 10.0),
        _ => panic!("no loss {name}"),
    }
}

#[test]
fn losses_and_gradients_are_those_of_pytorch_and_of_differences() {
    for row in stored("losses").as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let shape = |name: &str| numbers(&row[name]).iter().map(|size| *size as usize).collect::<Vec<_>>();
        let tape = Tape::new(gpu());
        let scores = tape.input(&shape("shape")).unwrap();
        let target = Tensor::from_slice(gpu(), &shape("target_shape"), &narrowed(&row["target"])).unwrap();
        let target = tape.constant(&target).unwrap();
        let loss = loss_of(name, &scores, &target).unwrap();
        assert!(loss.shape().is_empty(), "{name}");
        let gradient = tape.grad(&loss, &[&scores]).unwrap().remove(0);

        let program = tape.compile(&[&scores], &[&loss, &gradient]).unwrap();
        let at = numbers(&row["scores"]);
        let exact = program.evaluate(&[&at]).unwrap();
        let right = [vec![row["loss"].as_f64().unwrap()], numbers(&row["gradient"])];
        let upload = Tensor::from_slice(gpu(), scores.shape(), &narrowed(&row["scores"])).unwrap();
        for (place, found) in program.run(&[upload]).unwrap().iter().enumerate() {
            let found = found.read(gpu()).unwrap().into_iter().map(f64::from);
            let errors = [apart(exact[place].iter().copied(), &right[place]), apart(found, &right[place])];
            // Rounding alone: at most 24 terms of similar size, in `f64` and in `f32`.
            assert!(errors[0] < 1e-12 && errors[1] < 1e-5, "{name}: {errors:?}");
        }
        let report = tape.check_gradients(&[&loss], &[&scores], &[&at]).unwrap();
        assert!(report.agrees(), "{name}\n{report}");
    }
}

#[test]
fn a_class_without_samples_counts_as_0_and_shapes_that_differ_are_refused() {
    let tape = Tape::new(gpu());
    let (critic, labels) = (tape.input(&[2, 1]).unwrap(), tape.input(&[2]).unwrap());
    let distance = loss::kantorovich_rubinstein(&critic, &labels).unwrap();
    let program = tape.compile(&[&critic, &labels], &[distance]).unwrap();
    assert_eq!(program.evaluate(&[[3.0, 5.0], [1.0, 1.0]]).unwrap()[0], [-4.0]);

    let wrong = |found: Result<Value>| assert!(matches!(found.unwrap_err(), Error::ShapeMismatch { .. }));
    let scores = tape.input(&[3, 4]).unwrap();
    wrong(loss::hinge(&scores, &labels, 1.0));
    wrong(loss::cross_entropy(&scores, &labels, 0.0));
    wrong(loss::cross_entropy(&labels, &labels, 0.0));
    wrong(loss::mean_squared_error(&critic, &labels));
    assert!(matches!(loss::cross_entropy_of_shares(&scores, &scores, 1.5), Err(Error::InvalidOption { .. })));
}
