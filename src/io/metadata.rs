//! The metadata of a checkpoint.

use super::Checkpoint;
#[cfg(feature = "io-safetensors")]
use super::Format;
use crate::Result;

impl Checkpoint {
    /// The pairs of `__metadata__` of a safetensors file, in order; of shards, each key with its first value. Empty for
    /// other formats.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for metadata that is not text, which other programs refuse as well.
    pub fn metadata(&self) -> Result<Vec<(String, String)>> {
        #[cfg(feature = "io-safetensors")]
        if matches!(self.format, Format::Safetensors | Format::Index) {
            return super::safetensors::joined_metadata(&self.path, &self.contents);
        }
        Ok(Vec::new())
    }
}
