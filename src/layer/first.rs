//! The first values of a network's parameters.

use super::{Layer, Parameter, Parameters, Random};
use crate::tensor::Tensor;
use crate::{Device, Result};

impl Parameters {
    /// The first values of a network's parameters, the same for the same seed on every device.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for two parameters of one name; [`crate::Error::OutOfMemory`] and other errors
    /// of the device.
    pub fn initial(device: &Device, network: &(impl Layer + ?Sized), seed: u64) -> Result<Self> {
        let mut parameters = Self::none(device);
        for (stream, Parameter { name, shape, role, initial }) in network.parameters("").into_iter().enumerate() {
            let data = initial.draw(&shape, &mut Random::new(seed, stream as u64));
            parameters.insert(&name, role, Tensor::from_slice(device, &shape, &data)?)?;
        }
        network.complete("", &mut parameters)?;
        Ok(parameters)
    }
}
