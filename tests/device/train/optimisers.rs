//! Ten steps of each optimiser, and schedules, against PyTorch.

use opnorm::Result;
use opnorm::layer::{Activation, Layer, Linear, Parameters, Scope, Sequential};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::train::{Adam, AdamW, Cosine, Schedule, Sgd, Staircase, Step, WarmUp, loss};

use super::{apart, narrowed, numbers, stored};
use crate::gpu;

/// A step of a row's optimiser, and its learning rate.
fn step_of(name: &str, scope: &Scope, data: &[&Value], loss: &Value) -> Result<(Step, f64)> {
    let plain = |optimiser: Sgd| Step::prepare(scope, data, loss, optimiser).map(|step| (step, 0.1));
    let adam = |step: Result<Step>| step.map(|step| (step, 0.01));
    match name {
        "sgd" => plain(Sgd::default()),
        "sgd_decay" => plain(Sgd { weight_decay: 0.01, ..Sgd::default() }),
        "sgd_momentum" => plain(Sgd { weight_decay: 0.01, ..Sgd::momentum(0.9) }),
        "sgd_nesterov" => plain(Sgd { nesterov: true, ..Sgd::momentum(0.9) }),
        "sgd_clipped" => Step::clipped(scope, data, loss, Sgd::momentum(0.9), 0.25).map(|step| (step, 0.1)),
        "adam" => adam(Step::prepare(scope, data, loss, Adam::default())),
        "adam_decay" => {
            let other = Adam { betas: [0.8, 0.95], epsilon: 1e-6, weight_decay: 0.01 };
            adam(Step::prepare(scope, data, loss, other))
        }
        "adamw" => adam(Step::prepare(scope, data, loss, AdamW { weight_decay: 0.1, ..AdamW::default() })),
        _ => panic!("no optimiser {name}"),
    }
}

#[test]
fn ten_steps_are_those_of_pytorch() {
    let network = Sequential::new().then(Linear::new(3, 5)).then(Activation::Tanh).then(Linear::new(5, 2));
    let data = stored("network");
    let upload = |name: &str, width| Tensor::from_slice(gpu(), &[8, width], &narrowed(&data[name])).unwrap();
    let (x, y) = (upload("x", 3), upload("y", 2));
    for row in stored("optimisers").as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
        let names: Vec<String> = parameters.names().map(str::to_string).collect();
        for (name, start) in names.iter().zip(data["start"].as_array().unwrap()) {
            parameters.write(name, &narrowed(start)).unwrap();
        }
        let tape = Tape::new(gpu());
        let scope = Scope::training(&tape, &parameters).unwrap();
        let inputs = [tape.input(&[8, 3]).unwrap(), tape.input(&[8, 2]).unwrap()];
        let output = network.apply(&scope, "", &inputs[0]).unwrap();
        let loss = loss::mean_squared_error(&output, &inputs[1]).unwrap();
        let (mut step, rate) = step_of(name, &scope, &[&inputs[0], &inputs[1]], &loss).unwrap();
        let mut losses = Vec::new();
        for _ in 0..10 {
            step.run(&parameters, &[&x, &y], rate).unwrap();
            losses.push(f64::from(step.loss().read(gpu()).unwrap()[0]));
        }
        let mut errors = vec![apart(losses, &numbers(&row["losses"]))];
        for (name, right) in names.iter().zip(row["parameters"].as_array().unwrap()) {
            errors.push(apart(parameters.read(name).unwrap().into_iter().map(f64::from), &numbers(right)));
        }
        println!("{name}: {errors:?}");
        assert!(errors.iter().all(|error| *error < 1e-5), "{name}: {errors:?}");
    }
}

#[test]
fn schedules_are_those_of_pytorch() {
    let staircase = Staircase { rate: 0.1, every: 4, factor: 0.5 };
    let cosine = Cosine { rate: 0.1, end: 0.01, steps: 20 };
    let warm_up = WarmUp { steps: 5, then: 0.1 };
    let schedules: [(&str, &dyn Schedule); 3] = [("staircase", &staircase), ("cosine", &cosine), ("warm_up", &warm_up)];
    for row in stored("schedules").as_array().unwrap() {
        let (_, schedule) = schedules.iter().find(|(name, _)| row["name"] == *name).unwrap();
        let error = apart((0..12).map(|step| schedule.rate(step)), &numbers(&row["rates"]));
        assert!(error < 1e-14, "{}: {error}", row["name"]);
    }
    let both = WarmUp { steps: 5, then: cosine };
    assert_eq!((both.rate(5), both.rate(9), both.rate(1000)), (0.1, cosine.rate(4), 0.01));
}
