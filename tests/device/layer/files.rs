//! Files of PyTorch's parametrised weights: read into layers, saved with the same bits, and folded to what layers use.

use opnorm::io::{Checkpoint, Element};
use opnorm::layer::{Parameters, Role};
use opnorm::tensor::Tensor;

use super::gpu;
use super::normalisations::{cases, layer, loaded};

/// The tensors of a file as parameters, where they are `f32`.
fn parameters_of(file: &Checkpoint) -> Parameters {
    let mut parameters = Parameters::none(gpu());
    for entry in file.entries().iter().filter(|entry| entry.element == Element::F32) {
        let mut data = vec![0.0; entry.elements()];
        file.read(entry).unwrap().copy_f32(0, &mut data).unwrap();
        let tensor = Tensor::from_slice(gpu(), &entry.shape, &data).unwrap();
        parameters.insert(&entry.name, Role::State, tensor).unwrap();
    }
    parameters
}

#[test]
fn a_file_of_pytorch_is_saved_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let file = Checkpoint::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/normalised.safetensors")).unwrap();
    let parameters = parameters_of(&file);
    assert!(parameters.names().count() > 40);
    let path = folder.path().join("saved.safetensors");
    parameters.save(&path).unwrap();
    let saved = Checkpoint::open(&path).unwrap();
    for (name, ..) in parameters.iter() {
        let (before, after) = (file.find(name).unwrap(), saved.find(name).unwrap());
        assert_eq!(before.shape, after.shape, "{name}");
        assert_eq!(file.bytes(before).unwrap(), saved.bytes(after).unwrap(), "{name}");
    }
}

#[test]
fn every_format_is_loaded_saved_and_folded() {
    let folder = tempfile::tempdir().unwrap();
    for (index, case) in cases().iter().enumerate() {
        let layer = layer(case);
        let (first, second) = (loaded(case, &*layer), Parameters::initial(gpu(), &*layer, 2).unwrap());
        let path = folder.path().join(format!("{index}.safetensors"));
        first.save(&path).unwrap();
        second.load(&path).unwrap();
        for (name, ..) in first.iter() {
            assert_eq!(first.read(name).unwrap(), second.read(name).unwrap(), "{index}: {name}");
        }
        let file = Checkpoint::open(&path).unwrap();
        let stored = opnorm::layer::pytorch::stored_weights(&file);
        assert_eq!(stored.weights().len(), 1, "{index}");
        assert_eq!(stored.weights()[0].name(), "weight", "{index}");
    }
    // Another network's file changes nothing.
    let cases = cases();
    let layer = layer(&cases[0]);
    let parameters = loaded(&cases[0], &*layer);
    let before = parameters.read("bias").unwrap();
    let error = parameters.load(folder.path().join("1.safetensors")).unwrap_err();
    assert!(error.to_string().contains("has the shape"), "{error}");
    assert_eq!(before, parameters.read("bias").unwrap());
}
