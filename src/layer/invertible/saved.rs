//! Invertible networks in files: the parameters as safetensors, the description as JSON beside or within.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::super::description::{LONGEST, Problem, read_json, write_json};
use super::super::file::{expect_names, save_tensors};
use super::super::{Layer, Parameter, Parameters, join};
use super::description::NetworkDescription;
use super::network::InvertibleNetwork;
use super::program::InvertibleProgram;
use crate::io::Checkpoint;
use crate::tensor::Tensor;
use crate::{Device, Error, Result};

/// The key of a description in the metadata of a safetensors file.
const KEY: &str = "opnorm.network";

/// A network of a file, with its parameters.
///
/// ```
/// use opnorm::layer::{InvertibleNetwork, InvertibleResidual, Linear, Parameters, SavedNetwork};
/// use opnorm::{Device, tensor::Tensor};
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("net.safetensors");
/// let device = Device::new()?;
/// let network = InvertibleNetwork::new().then(InvertibleResidual::new(Linear::new(2, 2)));
/// let parameters = Parameters::initial(&device, &network, 7)?;
/// parameters.write("0.weight", &[0.0, 0.5, -0.5, 0.0])?;
/// network.save(&parameters, &[2], &path)?;
///
/// let saved = SavedNetwork::load(&device, &path)?;
/// let mut program = saved.prepare(1)?;
/// let y = Tensor::from_slice(&device, &[1, 2], &[1.0, 2.0])?;
/// let inverse = program.inverse(&y)?;
/// assert!(inverse.is_converged() && inverse.items[0].error.upper < 1e-5);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SavedNetwork {
    /// The network and the shape of its items.
    pub description: NetworkDescription,
    /// The parameters.
    pub parameters: Parameters,
}

impl InvertibleNetwork {
    /// Writes the network as one safetensors file: its parameters under the names that PyTorch gives them, and its
    /// description in the metadata. The file appears either whole or not at all.
    ///
    /// Other parameters, such as those of a map before the network, are written beside, where their names do not begin
    /// with a number.
    ///
    /// *Shapes*  `item`: the shape of an input without the batch
    ///
    /// # Errors
    /// As [`NetworkDescription::of`]; [`Error::NoParameter`] and [`Error::ShapeMismatch`] for parameters of another
    /// network; [`Error::File`] for layers that do not take items of the shape, and for a file that cannot be written;
    /// errors of the device.
    pub fn save(&self, parameters: &Parameters, item: &[usize], path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let description = NetworkDescription::of(self, item)?;
        let mut own: Vec<(String, &Tensor)> = Vec::new();
        for Parameter { name, shape, .. } in self.parameters("") {
            let tensor = parameters.tensor(&name)?;
            if tensor.shape() != shape {
                let (expected, found) = (format!("{shape:?} for `{name}`"), format!("{:?}", tensor.shape()));
                return Err(Error::ShapeMismatch { operation: "save a network", expected, found });
            }
            own.push((name, tensor));
        }
        let beside = parameters.named().into_iter().filter(|(name, _)| !is_of_block("", name));
        own.extend(beside);
        description.expect_shapes(parameters).map_err(|problem| broken(path, &problem))?;
        save_tensors(path, parameters.device(), &own, &[(KEY.to_string(), description.to_json())])
    }
}

impl SavedNetwork {
    /// Reads a network that [`InvertibleNetwork::save`] wrote.
    ///
    /// The file is not trusted. Nothing is allocated for a parameter before its name and shape are those of a tensor of
    /// the file, and the description has limits: 1 MiB, 1000 blocks, 2^26 elements of an item after each layer.
    ///
    /// # Errors
    /// [`Error::File`] for a file without a description, a description with a kind, a member or a value that is not
    /// known, layers that do not fit each other, and tensors that are missing, unexpected, of other shapes or not
    /// finite; errors of the device.
    pub fn load(device: &Device, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = Checkpoint::open(path)?;
        let pairs = file.metadata()?;
        let Some((_, text)) = pairs.iter().find(|(key, _)| key == KEY) else {
            let words = format!(
                "holds no invertible network: its metadata has no `{KEY}`; save it with `InvertibleNetwork::save`, or \
                 give the description of the network beside the file (`--network` of the program)"
            );
            return Err(fault(path, None, words));
        };
        let description = NetworkDescription::from_json(&path.to_string_lossy(), text)?;
        Self::read(device, &file, description)
    }

    /// Reads the parameters of a described network from a checkpoint of any format, such as that of another program.
    ///
    /// Tensors outside of the description's path are left alone, and so are tensors whose names do not go on with a
    /// number there.
    ///
    /// # Errors
    /// As [`SavedNetwork::load`].
    pub fn load_described(device: &Device, path: impl AsRef<Path>, description: NetworkDescription) -> Result<Self> {
        Self::read(device, &Checkpoint::open(path)?, description)
    }

    /// Compiles the network for a batch, as [`InvertibleNetwork::prepare`].
    ///
    /// # Errors
    /// As [`InvertibleNetwork::prepare`].
    pub fn prepare(&self, batch: usize) -> Result<InvertibleProgram> {
        let Self { description, parameters } = self;
        let shape = [&[batch], description.item()].concat();
        description.network().prepare(description.path(), parameters, &shape)
    }

    fn read(device: &Device, file: &Checkpoint, description: NetworkDescription) -> Result<Self> {
        let declared = description.network().parameters(description.path());
        let names: Vec<&str> = declared.iter().map(|own| own.name.as_str()).collect();
        expect_names(file, &names, |name| is_of_block(description.path(), name))
            .map_err(|words| fault(file.path(), None, words))?;
        let mut parameters = Parameters::none(device);
        for Parameter { name, shape, role, .. } in declared {
            let Some(entry) = file.find(&name) else { continue };
            if entry.shape != shape {
                let words = format!("has the shape {:?}, where the network has {shape:?}", entry.shape);
                return Err(fault(file.path(), Some(name), words));
            }
            let mut data = vec![0.0; entry.elements()];
            file.read(entry)?.copy_f32(0, &mut data)?;
            if let Some(at) = data.iter().position(|number: &f32| !number.is_finite()) {
                let words = format!("element {at} is {}, and a network has finite parameters", data[at]);
                return Err(fault(file.path(), Some(name), words));
            }
            parameters.insert(&name, role, Tensor::from_slice(device, &shape, &data)?)?;
        }
        description.expect_shapes(&parameters).map_err(|problem| broken(file.path(), &problem))?;
        Ok(Self { description, parameters })
    }
}

impl NetworkDescription {
    /// Reads a description from JSON. `name` stands in messages.
    ///
    /// ```
    /// use opnorm::layer::NetworkDescription;
    /// let text = r#"{"format": "opnorm invertible network", "version": 1, "item": [2], "blocks": [
    ///     {"kind": "linear", "inputs": 2, "outputs": 2, "bias": false}
    /// ]}"#;
    /// let description = NetworkDescription::from_json("net.json", text)?;
    /// assert_eq!(description.item(), [2]);
    /// assert_eq!(NetworkDescription::from_json("again", &description.to_json())?, description);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] with the place of a kind, a member or a value that is not known, and the values that are.
    pub fn from_json(name: &str, text: &str) -> Result<Self> {
        read_json(text).and_then(|node| Self::from_node(&node)).map_err(|problem| broken(Path::new(name), &problem))
    }

    /// Reads a description from a file of JSON.
    ///
    /// # Errors
    /// As [`NetworkDescription::from_json`]; [`Error::File`] for a file that cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |error: std::io::Error| Error::File {
            path: path.to_path_buf(),
            tensor: None,
            problem: format!("cannot be read: {error}"),
            source: Some(error.into()),
        };
        // The check comes before opening, because opening a named pipe would wait for a writer that may never come.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(fault(path, None, "is not a regular file".to_string()));
        }
        let mut text = String::new();
        let longest = LONGEST as u64 + 1;
        File::open(path).and_then(|file| file.take(longest).read_to_string(&mut text)).map_err(failed)?;
        Self::from_json(&path.to_string_lossy(), &text)
    }

    /// The description as JSON, without the members that have their usual values.
    pub fn to_json(&self) -> String {
        write_json(&self.node())
    }
}

/// Whether a name is that of a tensor of a block: a number after the path.
fn is_of_block(path: &str, name: &str) -> bool {
    let rest = name.strip_prefix(&join(path, "")).and_then(|rest| rest.split('.').next());
    rest.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The error for a description.
fn broken(path: &Path, problem: &Problem) -> Error {
    fault(path, None, format!("the description of the network: {problem}"))
}

fn fault(path: &Path, tensor: Option<String>, problem: String) -> Error {
    Error::File { path: path.to_path_buf(), tensor, problem, source: None }
}
