//! Tensors by name: the parameters of a network.

use std::collections::HashMap;

use super::Role;
use crate::tensor::Tensor;
use crate::{Device, Error, Result};

/// The parameters of a network: tensors by name, in the order in which layers declare them.
///
/// ```
/// use opnorm::layer::{Linear, Parameters, Sequential};
/// use opnorm::Device;
/// let network = Sequential::new().then(Linear::new(3, 2));
/// let parameters = Parameters::initial(&Device::new()?, &network, 7)?;
/// assert_eq!(parameters.names().collect::<Vec<_>>(), ["0.weight", "0.bias"]);
/// assert_eq!(parameters.tensor("0.weight")?.shape(), [2, 3]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parameters {
    device: Device,
    held: Vec<Held>,
    places: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Held {
    name: String,
    role: Role,
    tensor: Tensor,
}

impl Parameters {
    /// No parameters.
    pub fn none(device: &Device) -> Self {
        Self { device: device.clone(), held: Vec::new(), places: HashMap::new() }
    }

    /// Adds a tensor.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] where the name is taken.
    pub fn insert(&mut self, name: &str, role: Role, tensor: Tensor) -> Result<()> {
        if self.places.insert(name.to_string(), self.held.len()).is_some() {
            return Err(Error::InvalidOption {
                operation: "add a parameter",
                option: "the name",
                value: format!("`{name}`"),
                allowed: "that of one parameter alone: give layers different names",
            });
        }
        self.held.push(Held { name: name.to_string(), role, tensor });
        Ok(())
    }

    /// The device of the tensors.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|held| held.name.as_str())
    }

    /// The names, roles and tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Role, &Tensor)> {
        self.held.iter().map(|held| (held.name.as_str(), held.role, &held.tensor))
    }

    /// The tensor of a name.
    ///
    /// # Errors
    /// [`Error::NoParameter`]
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.place(name).map(|place| &self.held[place].tensor)
    }

    /// The values of a name's tensor, row-major.
    ///
    /// # Errors
    /// [`Error::NoParameter`]; [`Error::DeviceLost`] and other errors of the device.
    pub fn read(&self, name: &str) -> Result<Vec<f32>> {
        self.tensor(name)?.read(&self.device)
    }

    /// Writes the values of a name's tensor.
    ///
    /// *Shapes*  `data`: as many elements as the tensor
    ///
    /// # Errors
    /// [`Error::NoParameter`]; [`Error::ShapeMismatch`] for another number of elements; errors of the device.
    pub fn write(&self, name: &str, data: &[f32]) -> Result<()> {
        let tensor = self.tensor(name)?;
        if data.len() != tensor.len() {
            return Err(Error::ShapeMismatch {
                operation: "write a parameter",
                expected: format!("{} elements for `{name}`", tensor.len()),
                found: format!("{}", data.len()),
            });
        }
        tensor.buffer().write(&self.device, "write a parameter", 0, data)
    }

    /// Some tensors and then all parameters: the inputs of a program whose values are [`super::Scope::inputs`].
    pub fn tensors<'a>(&'a self, before: &[&'a Tensor]) -> Vec<&'a Tensor> {
        before.iter().copied().chain(self.held.iter().map(|held| &held.tensor)).collect()
    }

    fn place(&self, name: &str) -> Result<usize> {
        self.places.get(name).copied().ok_or_else(|| no_parameter(name, self.names()))
    }
}

/// The error for a name that is not there.
pub(super) fn no_parameter<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<_> = known.collect();
    let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
    Error::NoParameter { name: name.to_string(), known }
}
