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
            return self.first_pairs();
        }
        Ok(Vec::new())
    }

    #[cfg(feature = "io-safetensors")]
    fn first_pairs(&self) -> Result<Vec<(String, String)>> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for contents in &self.contents {
            for pair in super::safetensors::metadata(&self.path, contents.as_ref())? {
                if !pairs.iter().any(|(key, _)| *key == pair.0) {
                    pairs.push(pair);
                }
            }
        }
        Ok(pairs)
    }
}
