//! Training: losses and optimisers against PyTorch, steps that allocate nothing, and runs that are resumed.
//!
//! `tests/data/make_training_fixtures.py` wrote PyTorch's numbers, in `f64`, and says how.

mod batches;
#[cfg(feature = "io-safetensors")]
mod killed;
mod losses;
mod optimisers;
#[cfg(feature = "io-safetensors")]
mod resuming;
mod steady;

use opnorm::Device;
use opnorm::layer::{Activation, Linear, Parameters, Sequential, SpectralNormalisation};
use opnorm::train::Samples;
use serde_json::Value as Json;

/// A part of the stored file.
fn stored(part: &str) -> Json {
    let file: Json = serde_json::from_str(include_str!("../../data/training.json")).unwrap();
    file[part].clone()
}

fn numbers(list: &Json) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn narrowed(list: &Json) -> Vec<f32> {
    numbers(list).into_iter().map(|number| number as f32).collect()
}

/// The largest distance, relative to the largest number of `right`.
fn apart(found: impl IntoIterator<Item = f64>, right: &[f64]) -> f64 {
    let largest = right.iter().fold(f64::MIN_POSITIVE, |most, number| most.max(number.abs()));
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), right.len());
    assert!(found.iter().all(|number| number.is_finite()), "{found:?}");
    found.iter().zip(right).map(|(found, right)| (found - right).abs()).fold(0.0, f64::max) / largest
}

/// A network whose first layer has states.
fn normalised() -> Sequential {
    Sequential::new()
        .then(Linear::new(3, 8).parametrised(SpectralNormalisation::default()))
        .then(Activation::Tanh)
        .then(Linear::new(8, 4))
}

/// Twenty-two points with classes from 0 to 3.
fn samples() -> Samples {
    let x: Vec<f32> = (0..66).map(|index| ((index * 37 % 64) as f32 - 32.0) / 16.0).collect();
    let labels: Vec<f32> =
        x.chunks_exact(3).map(|x| f32::from(u8::from(x[0] > 0.0) + 2 * u8::from(x[1] > 0.0))).collect();
    Samples::of(&[22, 3], &x).unwrap().and(&[22], &labels).unwrap()
}

fn first(device: &Device) -> Parameters {
    Parameters::initial(device, &normalised(), 3).unwrap()
}
