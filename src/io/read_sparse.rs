//! The entries of a sparse matrix in a file.

use super::{Checkpoint, Entry, tensor_error};
use crate::Result;
use crate::tensor::SparseEntries;

impl Checkpoint {
    /// The entries of a sparse matrix, for an entry with [`Entry::is_sparse`].
    ///
    /// Values of one place are added up, in `f64`; of booleans, one that is true makes the place 1. The whole file is
    /// read and checked here: [`Checkpoint::open`] reads the header alone.
    ///
    /// ```no_run
    /// # fn main() -> opnorm::Result<()> {
    /// use opnorm::{Device, io::Checkpoint, norm::spectral_norm, operator::SparseMatrix};
    /// let checkpoint = Checkpoint::open("laplacian.npz")?;
    /// let entries = checkpoint.read_sparse(&checkpoint.entries()[0])?;
    /// println!("{}", spectral_norm(&SparseMatrix::new(&Device::new()?, &entries)?)?.single()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a tensor that is not sparse, indices outside the matrix, lengths and
    /// counts that disagree, values of a type that is not read.
    pub fn read_sparse(&self, entry: &Entry) -> Result<SparseEntries> {
        let own = self.own(entry)?;
        match (&self.sparse, self.contents.first()) {
            (Some(sparse), Some(contents)) => sparse.read(contents, own),
            _ => Err(tensor_error(&own.file, &own.name, "is not a sparse matrix")),
        }
    }
}
