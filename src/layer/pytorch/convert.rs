//! Files and parameters under the names of the other generation.

use std::collections::HashMap;
use std::path::Path;

use super::super::{Generation, Parameters, save_tensors};
use super::names::{Listed, StateFormat, groups};
use crate::Result;
use crate::io::{Checkpoint, Entry, SafetensorsWriter, TensorHeader};

/// The bytes that are copied between two steps.
const PIECE: usize = 1 << 24;

/// A step of [`convert`]. An error as the answer ends the conversion, and no file is written.
#[non_exhaustive]
pub enum ConvertStep<'a> {
    /// The start of a tensor of the file that is written.
    Started(&'a Entry),
    /// A part of a tensor was copied.
    Copied(&'a Entry),
    /// A part of a weight has another name in the file that is written.
    Renamed(&'a Entry, &'a str),
    /// A tensor that is named like a part, with the reason why it keeps its name.
    Left(&'a Entry, &'a str),
    /// The end of a tensor.
    Finished(&'a Entry),
}

/// Writes a checkpoint as a safetensors file in which weights in parts have the names of a generation.
///
/// Every tensor keeps its bytes, and the file its order and metadata. The file appears whole or not at all.
///
/// # Errors
/// [`Error::File`](crate::Error::File) for a checkpoint that is no safetensors, a new name that another tensor has, and
/// a file that cannot be written; any error of `observe`.
pub fn convert(
    checkpoint: &Checkpoint,
    path: impl AsRef<Path>,
    to: Generation,
    observe: &mut dyn FnMut(ConvertStep<'_>) -> Result<()>,
) -> Result<()> {
    let entries = checkpoint.entries();
    let renamed = Renamed::of(&entries.iter().map(Listed::from).collect::<Vec<_>>(), to);
    let header = |(place, entry): (usize, &Entry)| {
        let header = TensorHeader::from(entry);
        TensorHeader { name: renamed.names.get(&place).cloned().unwrap_or(header.name), ..header }
    };
    let headers: Vec<TensorHeader> = entries.iter().enumerate().map(header).collect();
    let mut writer = SafetensorsWriter::create(path, &headers, &checkpoint.metadata()?)?;
    for (place, entry) in entries.iter().enumerate() {
        observe(ConvertStep::Started(entry))?;
        for piece in checkpoint.bytes(entry)?.chunks(PIECE) {
            writer.write(piece)?;
            observe(ConvertStep::Copied(entry))?;
        }
        if let Some(name) = renamed.names.get(&place) {
            observe(ConvertStep::Renamed(entry, name))?;
        }
        if let Some(problem) = renamed.left.get(&place) {
            observe(ConvertStep::Left(entry, problem))?;
        }
        observe(ConvertStep::Finished(entry))?;
    }
    writer.finish()
}

impl Parameters {
    /// [`Parameters::save`] with weights in parts under the names of a generation.
    ///
    /// ```
    /// use opnorm::layer::{Generation, Linear, Parameters, SpectralNormalisation};
    /// use opnorm::{Device, io::Checkpoint};
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// let path = folder.path().join("linear.safetensors");
    /// let layer = Linear::new(3, 2).parametrised(SpectralNormalisation::default());
    /// Parameters::initial(&Device::new()?, &layer, 1)?.save_as(&path, Generation::Hooks)?;
    /// assert!(Checkpoint::open(&path)?.find("weight_orig").is_some());
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Parameters::save`].
    pub fn save_as(&self, path: impl AsRef<Path>, generation: Generation) -> Result<()> {
        let mut named = self.named();
        let list = |(name, _, tensor)| Listed {
            name,
            shape: crate::tensor::Tensor::shape(tensor),
            is_float: true,
            is_there: true,
        };
        for (place, name) in Renamed::of(&self.iter().map(list).collect::<Vec<_>>(), generation).names {
            named[place].0 = name;
        }
        save_tensors(path.as_ref(), self.device(), &named, &[])
    }
}

/// The new names of tensors in a list, and the reasons why tensors that are named like parts keep theirs.
struct Renamed {
    names: HashMap<usize, String>,
    left: HashMap<usize, String>,
}

impl Renamed {
    fn of(tensors: &[Listed<'_>], to: Generation) -> Self {
        let found = groups(tensors);
        let (mut names, mut left) = (HashMap::new(), found.broken.into_iter().collect::<HashMap<_, _>>());
        for group in found.whole {
            let is_vector = tensors[group.weight].shape.len() == 1;
            if is_vector && group.format == StateFormat::SpectralNorm && to == Generation::Parametrizations {
                left.insert(group.weight, "parametrizations store no u and v of a vector".to_owned());
                continue;
            }
            let parts = std::iter::once(group.weight).chain(group.others.iter().copied());
            names.extend(parts.zip(group.names(to)).filter(|(part, name)| tensors[*part].name != name));
        }
        Self { names, left }
    }
}
