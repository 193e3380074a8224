//! Sparse matrices in files: one matrix, the only entry of its file.

#[cfg(feature = "io-npy")]
use super::archive::Archive;
use super::contents::Contents;
use super::entry::Entry;
use super::{Element, tensor_error};
use crate::Result;
use crate::tensor::SparseEntries;

/// A file that holds a sparse matrix.
#[derive(Debug)]
pub(super) enum SparseFile {
    /// An archive of `scipy.sparse.save_npz`.
    #[cfg(feature = "io-npy")]
    Scipy(super::scipy::Scipy, Archive),
    /// A Matrix Market file.
    #[cfg(feature = "io-mtx")]
    MatrixMarket(super::matrix_market::Header),
}

impl SparseFile {
    /// Reads the entries of the matrix.
    #[cfg_attr(not(any(feature = "io-npy", feature = "io-mtx")), allow(unused_variables, reason = "no such files"))]
    pub fn read(&self, contents: &Contents, entry: &Entry) -> Result<SparseEntries> {
        if entry.element.is_complex() {
            return Err(tensor_error(&entry.file, &entry.name, complex(&entry.element)));
        }
        match *self {
            #[cfg(feature = "io-npy")]
            Self::Scipy(ref scipy, ref archive) => scipy.read(archive, contents, entry),
            #[cfg(feature = "io-mtx")]
            Self::MatrixMarket(ref header) => header.read_entries(contents.as_ref(), entry),
        }
    }
}

fn complex(element: &Element) -> String {
    format!(
        "its values are complex numbers ({element}), which are not read from sparse files: save the real matrix \
         [[Re, -Im], [Im, Re]], whose norm is the same"
    )
}
