//! Parameters as a safetensors file, by name.

use std::path::Path;

use super::Parameters;
use crate::io::{Checkpoint, Element, SafetensorsWriter, TensorHeader};
use crate::tensor::Tensor;
use crate::{Device, Error, Result};

impl Parameters {
    /// Writes all parameters as a safetensors file, under the names that PyTorch gives them. The file appears either
    /// whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`]; errors of the device.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save_tensors(path.as_ref(), self.device(), &self.named(), &[])
    }

    /// Reads all parameters from a checkpoint of any format, rounded to `f32`. After an error, all are as before.
    ///
    /// ```
    /// # #[cfg(feature = "io-safetensors")]
    /// # fn main() -> opnorm::Result<()> {
    /// use opnorm::{Device, layer::{Linear, Parameters}};
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// let path = folder.path().join("linear.safetensors");
    /// let initial = |seed| Parameters::initial(&Device::new()?, &Linear::new(3, 2), seed);
    /// initial(1)?.save(&path)?;
    /// let parameters = initial(2)?;
    /// parameters.load(&path)?;
    /// assert_eq!(parameters.read("weight")?, initial(1)?.read("weight")?);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "io-safetensors"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] for names that are missing or unexpected, and for other shapes; errors of the device.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<()> {
        load_tensors(path.as_ref(), self.device(), &self.named())
    }

    /// The tensors with their names.
    pub(crate) fn named(&self) -> Vec<(String, &Tensor)> {
        self.iter().map(|(name, _, tensor)| (name.to_string(), tensor)).collect()
    }
}

/// Writes tensors by name, with some text.
pub(crate) fn save_tensors(
    path: &Path,
    device: &Device,
    tensors: &[(String, &Tensor)],
    text: &[(String, String)],
) -> Result<()> {
    let header = |(name, tensor): &(String, &Tensor)| TensorHeader {
        name: name.clone(),
        shape: tensor.shape().to_vec(),
        element: Element::F32,
    };
    let headers: Vec<TensorHeader> = tensors.iter().map(header).collect();
    let mut writer = SafetensorsWriter::create(path, &headers, text)?;
    tensors.iter().try_for_each(|(_, tensor)| writer.write_f32(&tensor.read(device)?))?;
    writer.finish()
}

/// Reads tensors by name: all of a file, and no others. After an error, all are as before.
pub(crate) fn load_tensors(path: &Path, device: &Device, tensors: &[(String, &Tensor)]) -> Result<()> {
    let file = Checkpoint::open(path)?;
    let broken = |tensor: Option<&str>, problem| Error::File {
        path: path.to_path_buf(),
        tensor: tensor.map(str::to_string),
        problem,
        source: None,
    };
    let names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    expect_names(&file, &names, |_| true).map_err(|problem| broken(None, problem))?;
    let mut found = Vec::with_capacity(tensors.len());
    for entry in tensors.iter().filter_map(|(name, _)| file.find(name)) {
        let shape = tensors[found.len()].1.shape();
        if entry.shape != shape {
            let problem = format!("has the shape {:?}, where the network has {shape:?}", entry.shape);
            return Err(broken(Some(&entry.name), problem));
        }
        let mut data = vec![0.0; entry.elements()];
        file.read(entry)?.copy_f32(0, &mut data)?;
        found.push(data);
    }
    let mut pairs = tensors.iter().zip(&found);
    pairs.try_for_each(|((_, tensor), data)| tensor.buffer().write(device, "load parameters", 0, data))
}

/// Refuses a file that lacks a name, or that has another name which is refused, with the first of them in the words.
pub(super) fn expect_names(
    file: &Checkpoint,
    names: &[&str],
    is_refused: impl Fn(&str) -> bool,
) -> std::result::Result<(), String> {
    const SHOWN: usize = 20;
    let missing: Vec<&str> = names.iter().copied().filter(|name| file.find(name).is_none()).collect();
    let known: std::collections::HashSet<&str> = names.iter().copied().collect();
    let others = file.entries().iter().map(|entry| entry.name.as_str()).filter(|name| !known.contains(name));
    let unexpected: Vec<&str> = others.filter(|name| is_refused(name)).collect();
    let list = |words: &str, names: &[&str]| {
        let more = names.len().saturating_sub(SHOWN);
        let end = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| format!("{words} {}{end}", names[..names.len() - more].join(", ")))
    };
    let problems: Vec<String> =
        [list("lacks", &missing), list("has unexpected", &unexpected)].into_iter().flatten().collect();
    if problems.is_empty() { Ok(()) } else { Err(format!("the file {}", problems.join(" and "))) }
}
