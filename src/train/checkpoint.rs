//! Training checkpoints: all that a run needs to go on, as one safetensors file.

use std::path::Path;

use super::{Batches, Position, Step};
use crate::io::Checkpoint;
use crate::layer::{Parameters, load_tensors, save_tensors};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Writes parameters, states, the slots of the optimiser, the number of steps, the place in the batches, and the number
/// and a checksum of the samples.
///
/// The file appears either whole or not at all. A run that is resumed from the file has the bits of a run that was not
/// stopped. Parameters have their own names, so that other programs read them; slots are `optimiser.exp_avg.0.weight`.
///
/// ```
/// use opnorm::layer::{Layer, Linear, Parameters, Scope};
/// use opnorm::train::{Adam, Batches, Samples, Step, loss, resume, save};
/// use opnorm::{Device, tape::Tape};
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("run.safetensors");
/// let device = Device::new()?;
/// let network = Linear::new(1, 1);
/// let begin = || -> opnorm::Result<(Parameters, Step, Batches)> {
///     let parameters = Parameters::initial(&device, &network, 1)?;
///     let scope = Scope::training(&Tape::new(&device), &parameters)?;
///     let x = scope.tape().input(&[1, 1])?;
///     let loss = network.apply(&scope, "", &x)?.square()?.sum(&[0, 1])?;
///     let step = Step::prepare(&scope, &[&x], &loss, Adam::default())?;
///     Ok((parameters, step, Batches::new(&device, Samples::of(&[2, 1], &[1.0, 2.0])?, 1, 7)?))
/// };
/// let (parameters, mut step, mut batches) = begin()?;
/// step.run(&parameters, batches.next_batch()?.unwrap_or_default(), 0.1)?;
/// save(&path, &parameters, &step, &batches)?;
/// let (others, mut resumed, mut rest) = begin()?;
/// resume(&path, &others, &mut resumed, &mut rest)?;
/// assert_eq!((resumed.taken(), rest.position()), (1, batches.position()));
/// assert_eq!(others.read("weight")?, parameters.read("weight")?);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`Error::File`]; errors of the device.
pub fn save(path: impl AsRef<Path>, parameters: &Parameters, step: &Step, batches: &Batches) -> Result<()> {
    let Position { seed, epoch, batch } = batches.position();
    let numbers = [step.taken(), seed, epoch, batch as u64].into_iter().chain(batches.identity());
    let text: Vec<_> = KEYS
        .iter()
        .chain(&SAMPLES)
        .zip(numbers)
        .map(|(key, number)| ((*key).to_string(), number.to_string()))
        .collect();
    save_tensors(path.as_ref(), parameters.device(), &tensors(parameters, step), &text)
}

/// Goes on where [`save`] left off. After an error, all is as before.
///
/// The step is prepared as before, over the same samples: the file holds no learning rate, no decay and no network, and
/// no samples but their number and checksum. An earlier file, which lacks these two, is resumed without the check.
///
/// # Errors
/// [`Error::File`] for a file of other names or shapes, of a run over other samples, or of no training run; errors of
/// the device.
pub fn resume(path: impl AsRef<Path>, parameters: &Parameters, step: &mut Step, batches: &mut Batches) -> Result<()> {
    let path = path.as_ref();
    let text = Checkpoint::open(path)?.metadata()?;
    let [taken, seed, epoch, batch] = KEYS.map(|key| number(path, &text, key));
    let position = Position { seed: seed?, epoch: epoch?, batch: batch? as usize };
    let taken = taken?;
    expect_samples(path, &text, batches)?;
    load_tensors(path, parameters.device(), &tensors(parameters, step))?;
    step.go_on_after(taken);
    batches.move_to(position);
    Ok(())
}

/// The numbers of a file, by the keys of its metadata.
const KEYS: [&str; 4] = ["steps", "seed", "epoch", "batch"];

/// The numbers that tell the samples of a run; files of earlier versions have none.
const SAMPLES: [&str; 2] = ["samples", "samples_checksum"];

fn expect_samples(path: &Path, text: &[(String, String)], batches: &Batches) -> Result<()> {
    if SAMPLES.iter().any(|key| text.iter().all(|(name, _)| name != key)) {
        return Ok(());
    }
    let [count, checksum] = SAMPLES.map(|key| number(path, text, key));
    let (stored, given) = ([count?, checksum?], batches.identity());
    if stored == given {
        return Ok(());
    }
    let words = |[count, checksum]: [u64; 2]| format!("{count} with the checksum {checksum:016x}");
    Err(Error::File {
        path: path.to_path_buf(),
        tensor: None,
        problem: format!(
            "is the checkpoint of a run over other samples: {}, and those here are {}; resume with the samples of that run",
            words(stored),
            words(given)
        ),
        source: None,
    })
}

fn number(path: &Path, text: &[(String, String)], key: &str) -> Result<u64> {
    let found = text.iter().find(|(name, _)| name == key);
    found.and_then(|(_, number)| number.parse().ok()).ok_or_else(|| Error::File {
        path: path.to_path_buf(),
        tensor: None,
        problem: format!("is no checkpoint of a training run: its metadata has no number `{key}`"),
        source: None,
    })
}

/// The tensors of a run with their names.
fn tensors<'a>(parameters: &'a Parameters, step: &'a Step) -> Vec<(String, &'a Tensor)> {
    let slots = step.slots().map(|(name, slot)| (format!("optimiser.{name}"), slot));
    parameters.named().into_iter().chain(slots).collect()
}
