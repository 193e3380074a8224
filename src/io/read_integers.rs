//! The integers of a tensor in a file.

use super::integer::Integer;
use super::{Checkpoint, Entry, tensor_error};
use crate::Result;

impl Checkpoint {
    /// The elements of a tensor of integers or booleans in row-major order; true is 1.
    ///
    /// ```
    /// # #[cfg(feature = "io-npy")]
    /// # fn main() -> opnorm::Result<()> {
    /// let checkpoint = opnorm::io::Checkpoint::open("tests/data/integers.npy")?;
    /// let integers = checkpoint.read_integers(&checkpoint.entries()[0])?;
    /// assert_eq!(integers.len(), checkpoint.entries()[0].elements());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "io-npy"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a tensor of another type, a tensor of another checkpoint, or broken
    /// compressed data.
    pub fn read_integers(&self, entry: &Entry) -> Result<Vec<i128>> {
        let own = self.own(entry)?;
        if Integer::of(&own.element).is_none() {
            let problem = format!("is of type {}, neither integers nor booleans", own.element);
            return Err(tensor_error(&own.file, &own.name, problem));
        }
        let view = self.view(own)?;
        let mut integers = vec![0; own.elements()];
        view.copy_integers(0, &mut integers)?;
        Ok(integers)
    }
}
