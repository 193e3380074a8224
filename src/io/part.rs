//! The open files of a checkpoint, with their tensors.

use std::path::Path;

use super::contents::Contents;
use super::entry::Entry;
use super::file_error;
use super::format::Format;
use crate::Result;

/// Open files, their tensors, and remarks on the files.
#[derive(Default)]
pub(super) struct Part {
    pub contents: Vec<Contents>,
    pub entries: Vec<Entry>,
    pub remarks: Vec<String>,
}

impl Part {
    /// Opens one more file that holds several tensors, and gives its tensors and remarks.
    pub fn open(&mut self, path: &Path, contents: Contents) -> Result<(Vec<Entry>, Vec<String>)> {
        let found = match Format::of(path, contents.as_ref())? {
            Format::Safetensors => super::safetensors::entries(path, contents.as_ref(), self.contents.len())?,
            Format::Index => return Err(file_error(path, "is itself an index, and no shard")),
            Format::Npy | Format::Npz => return Err(file_error(path, "is an array of numpy, and no shard")),
        };
        self.contents.push(contents);
        Ok(found)
    }
}
