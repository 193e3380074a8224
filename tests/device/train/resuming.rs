//! Checkpoints of training runs: a resumed run has the bits of a run that was not stopped.

use std::path::Path;

use opnorm::layer::{Layer, Linear, Parameters, Scope};
use opnorm::tape::Tape;
use opnorm::train::{Adam, Batches, Optimiser, Samples, Sgd, Step, loss, resume, save};
use opnorm::{Device, Error, Result};

use super::{first, normalised, samples};
use crate::gpu;

/// A run: batches of eight, and a short one at the end of an epoch that is dropped.
pub(super) struct Run {
    parameters: Parameters,
    pub(super) step: Step,
    batches: Batches,
}

impl Run {
    pub(super) fn begin(device: &Device, optimiser: impl Optimiser + 'static, seed: u64) -> Self {
        let (parameters, tape) = (first(device), Tape::new(device));
        let scope = Scope::training(&tape, &parameters).unwrap();
        let (x, labels) = (tape.input(&[8, 3]).unwrap(), tape.input(&[8]).unwrap());
        let scores = normalised().apply(&scope, "", &x).unwrap();
        let loss = loss::cross_entropy(&scores, &labels, 0.0).unwrap();
        let step = Step::prepare(&scope, &[&x, &labels], &loss, optimiser).unwrap();
        Self { parameters, step, batches: Batches::new(device, samples(), 8, seed).unwrap() }
    }

    pub(super) fn go_on_to(&mut self, steps: u64) {
        while self.step.taken() < steps {
            if let Some(batch) = self.batches.next_batch().unwrap() {
                self.step.run(&self.parameters, batch, 0.05).unwrap();
            }
        }
    }

    pub(super) fn save(&self, path: &Path) {
        save(path, &self.parameters, &self.step, &self.batches).unwrap();
    }

    pub(super) fn resume(&mut self, path: &Path) -> Result<()> {
        resume(path, &self.parameters, &mut self.step, &mut self.batches)
    }

    /// The bits of all tensors, and the state of the host.
    pub(super) fn bits(&self) -> (Vec<Vec<u32>>, String) {
        let tensors = self.parameters.iter().map(|(.., tensor)| tensor).chain(self.step.slots().map(|(_, slot)| slot));
        let read =
            |tensor: &opnorm::tensor::Tensor| tensor.read(gpu()).unwrap().into_iter().map(f32::to_bits).collect();
        (tensors.map(read).collect(), format!("{} {:?}", self.step.taken(), self.batches.position()))
    }
}

#[test]
fn a_resumed_run_has_the_bits_of_one_that_was_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut whole = Run::begin(gpu(), Adam::default(), 4);
    whole.go_on_to(13);
    for stop in [0, 1, 2, 7] {
        let mut stopped = Run::begin(gpu(), Adam::default(), 4);
        stopped.go_on_to(stop);
        stopped.save(&path);
        let before = stopped.bits();
        // another seed: all of it is to come from the file
        let mut resumed = Run::begin(gpu(), Adam::default(), 99);
        resumed.go_on_to(3);
        resumed.resume(&path).unwrap();
        assert_eq!(resumed.bits(), before, "after {stop}");
        resumed.go_on_to(13);
        assert_eq!(resumed.bits(), whole.bits(), "after {stop}");
    }
}

#[test]
fn a_file_of_another_run_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut adam = Run::begin(gpu(), Adam::default(), 4);
    adam.go_on_to(2);
    adam.save(&path);
    let mut descent = Run::begin(gpu(), Sgd::momentum(0.9), 4);
    let before = descent.bits();
    let error = descent.resume(&path).unwrap_err().to_string();
    for part in ["lacks optimiser.momentum_buffer.0.", "unexpected", "optimiser.exp_avg.2.bias"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    descent.parameters.save(&path).unwrap();
    let error = descent.resume(&path).unwrap_err().to_string();
    assert!(error.contains("no checkpoint of a training run"), "{error}");
    assert!(descent.resume(&folder.path().join("none")).is_err());
    assert_eq!(descent.bits(), before);
}

#[test]
fn other_samples_are_refused_where_the_file_tells_them() {
    use opnorm::io::{Checkpoint, SafetensorsWriter, TensorHeader};
    let folder = tempfile::tempdir().unwrap();
    let (path, earlier) = (folder.path().join("run.safetensors"), folder.path().join("earlier.safetensors"));
    let mut run = Run::begin(gpu(), Adam::default(), 4);
    run.go_on_to(2);
    run.save(&path);
    let mut other = Run::begin(gpu(), Adam::default(), 4);
    let mut x: Vec<f32> = (0..30).map(|number| number as f32).collect();
    for last in [29.0, 30.0] {
        x[29] = last;
        let samples = Samples::of(&[10, 3], &x).unwrap().and(&[10], &[0.0; 10]).unwrap();
        other.batches = Batches::new(gpu(), samples, 8, 4).unwrap();
        let (before, error) = (other.bits(), other.resume(&path).unwrap_err().to_string());
        assert!(error.contains("other samples") && error.contains("those here are 10 with"), "{error}");
        assert_eq!(other.bits(), before);
        // One bit of one sample counts.
        other.save(&earlier);
        x[29] = f32::from_bits(last.to_bits() + 1);
        let samples = Samples::of(&[10, 3], &x).unwrap().and(&[10], &[0.0; 10]).unwrap();
        other.batches = Batches::new(gpu(), samples, 8, 4).unwrap();
        assert!(other.resume(&earlier).unwrap_err().to_string().contains("other samples"));
    }
    // A file from before the check.
    let file = Checkpoint::open(&path).unwrap();
    let headers: Vec<TensorHeader> = file.entries().iter().map(Into::into).collect();
    let text: Vec<_> = file.metadata().unwrap().into_iter().filter(|(key, _)| !key.starts_with("samples")).collect();
    assert_eq!(text.len(), 4);
    let mut writer = SafetensorsWriter::create(&earlier, &headers, &text).unwrap();
    file.entries().iter().for_each(|entry| writer.write(file.bytes(entry).unwrap()).unwrap());
    writer.finish().unwrap();
    other.resume(&earlier).unwrap();
    assert_eq!(other.bits(), run.bits());
}

#[test]
fn parameters_are_saved_and_loaded_by_name_and_shape() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let saved = first(gpu());
    saved.save(&path).unwrap();
    let other = Parameters::initial(gpu(), &normalised(), 8).unwrap();
    other.load(&path).unwrap();
    for name in saved.names() {
        assert_eq!(saved.read(name).unwrap(), other.read(name).unwrap(), "{name}");
    }
    // once more: the same bytes
    let again = folder.path().join("again.safetensors");
    other.save(&again).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file stays");

    let wider = Parameters::initial(gpu(), &Linear::new(3, 2), 1).unwrap();
    let error = wider.load(&path).unwrap_err().to_string();
    assert!(error.contains("lacks weight, bias and has unexpected") && error.contains("2.bias"), "{error}");
    let small = folder.path().join("small.safetensors");
    wider.save(&small).unwrap();
    let error = Parameters::initial(gpu(), &Linear::new(4, 2), 1).unwrap().load(&small).unwrap_err();
    assert!(matches!(&error, Error::File { tensor: Some(name), .. } if name == "weight"), "{error}");
    assert!(error.to_string().contains("[2, 3]") && error.to_string().contains("[2, 4]"), "{error}");
}
