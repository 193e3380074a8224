//! The open files of a checkpoint, with their tensors.

use std::path::Path;

use super::contents::Contents;
use super::entry::Entry;
use super::file_error;
use super::format::Format;
#[cfg(feature = "io-pytorch")]
use super::pytorch::{self, Storages};
use crate::Result;

/// The storages of the files that are PyTorch's, by the number of the file.
#[cfg(feature = "io-pytorch")]
pub(super) type Pickles = std::collections::BTreeMap<usize, Storages>;

/// Open files, their tensors, and remarks on the files.
#[derive(Default)]
pub(super) struct Part {
    pub contents: Vec<Contents>,
    #[cfg(feature = "io-pytorch")]
    pub pickles: Pickles,
    pub entries: Vec<Entry>,
    pub remarks: Vec<String>,
}

impl Part {
    /// Opens one more file that holds several tensors, and gives its tensors and remarks.
    pub fn open(&mut self, path: &Path, contents: Contents) -> Result<(Vec<Entry>, Vec<String>)> {
        let number = self.contents.len();
        let found = match Format::of(path, &contents)? {
            Format::Safetensors => super::safetensors::entries(path, contents.as_ref(), number)?,
            #[cfg(feature = "io-pytorch")]
            Format::PyTorch => {
                let (storages, entries, remarks) = pytorch::open(path, contents.clone(), number)?;
                self.pickles.insert(number, storages);
                (entries, remarks)
            }
            #[cfg(not(feature = "io-pytorch"))]
            Format::PyTorch => {
                return Err(file_error(path, "is of PyTorch: build opnorm with its feature `io-pytorch`"));
            }
            Format::Index => return Err(file_error(path, "is itself an index, and no shard")),
            // The reason why an archive cannot be read comes before the reason why it is no shard.
            #[cfg(feature = "io-npy")]
            Format::Npz => {
                super::archive::open(path, contents)?;
                return Err(file_error(path, "is an archive of numpy, and no shard"));
            }
            #[cfg(not(feature = "io-npy"))]
            Format::Npz => return Err(file_error(path, "is an archive of numpy, and no shard")),
            Format::Npy => return Err(file_error(path, "is an array of numpy, and no shard")),
            Format::MatrixMarket => return Err(file_error(path, "is a matrix of Matrix Market, and no shard")),
        };
        self.contents.push(contents);
        Ok(found)
    }
}
