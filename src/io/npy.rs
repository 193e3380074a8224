//! The reader of a `.npy` file with its array.

use std::path::Path;

use super::entry::{Entry, Place};
use super::npy_header::Header;
use super::{file_error, tensor_error};
use crate::Result;

/// The array of the file, named after the file.
pub(super) fn entry(path: &Path, bytes: &[u8]) -> Result<Entry> {
    let mut rest = bytes;
    let header = Header::read(&mut rest).map_err(|problem| file_error(path, problem))?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    header.check_size(rest.len() as u64).map_err(|problem| tensor_error(path, &name, problem))?;
    Ok(Entry {
        file: path.to_path_buf(),
        name,
        shape: header.shape,
        element: header.element,
        layout: header.layout,
        place: Place::Bytes { contents: 0, range: header.length..bytes.len() },
        note: None,
        index: 0,
    })
}
