//! Layers: parametrised weights beside PyTorch's numbers, bounds, and the documents' examples.

#[cfg(feature = "io")]
mod descriptions;
mod documents;
mod equilibrium;
#[cfg(feature = "io")]
mod files;
mod invertible;
mod layers;
mod log_determinants;
mod normalisations;
mod penalties;
#[cfg(feature = "io")]
mod saved;
#[cfg(feature = "io")]
mod trained;

use opnorm::layer::{Layer, Parameters, Scope};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;

use super::gpu;

/// The output of a layer; a training scope writes the next states.
fn output(layer: &dyn Layer, parameters: &Parameters, shape: &[usize], x: &[f32], is_training: bool) -> Vec<f32> {
    let tape = Tape::new(gpu());
    let scope = if is_training { Scope::training(&tape, parameters) } else { Scope::evaluation(&tape, parameters) };
    let scope = scope.unwrap();
    let input = tape.input(shape).unwrap();
    let mut outputs = vec![layer.apply(&scope, "", &input).unwrap()];
    let updates = scope.updates();
    outputs.extend(updates.iter().map(|(_, value)| value.clone()));
    let program = tape.compile(&scope.inputs(&[&input]), &outputs).unwrap();
    let x = Tensor::from_slice(gpu(), shape, x).unwrap();
    let found = program.run(&parameters.tensors(&[&x])).unwrap();
    for ((name, _), next) in updates.iter().zip(&found[1..]) {
        parameters.write(name, &next.read(gpu()).unwrap()).unwrap();
    }
    found[0].read(gpu()).unwrap()
}

/// Fails where numbers differ by more than so much.
fn expect_close(found: &[f32], wanted: &[f64], allowed: f64, at: &str) {
    assert_eq!(found.len(), wanted.len(), "{at}");
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let error = (f64::from(*found) - wanted).abs();
        assert!(error <= allowed, "{at}: element {index} is {found}, {wanted} in PyTorch");
    }
}
