//! The storages of a checkpoint, and the views of them that tensors are.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use super::super::archive::{self, Archive};
use super::super::contents::Contents;
use super::super::entry::{Entry, Strided};
use super::super::tensor_error;
use crate::Result;

/// The archive of a checkpoint.
#[derive(Debug)]
pub(in crate::io) struct Storages {
    archive: Archive,
    /// The place of each stored member in the file, once its checksum is proven: many tensors may share a storage.
    proven: Vec<OnceLock<std::result::Result<Range<usize>, String>>>,
}

impl Storages {
    pub(super) fn new(archive: Archive) -> Self {
        let proven = (0..archive.len()).map(|_| OnceLock::new()).collect();
        Self { archive, proven }
    }

    /// The elements of a tensor, in row-major order or as the layout of the entry says: a slice of the file where they
    /// follow each other there, else a copy.
    pub fn read<'a>(&self, contents: &'a Contents, entry: &Entry, strided: &Strided) -> Result<Cow<'a, [u8]>> {
        let broken = |problem: String| tensor_error(&entry.file, &entry.name, problem);
        let storage = self.storage(contents, strided).map_err(broken)?;
        let lost = || broken("its elements are not in its storage".to_owned());
        let Some(strides) = &strided.strides else {
            return match storage {
                Cow::Borrowed(bytes) => bytes.get(strided.range.clone()).map(Cow::Borrowed).ok_or_else(lost),
                Cow::Owned(mut bytes) => {
                    bytes.truncate(strided.range.end);
                    bytes.drain(..strided.range.start.min(bytes.len()));
                    Ok(Cow::Owned(bytes))
                }
            };
        };
        let bytes = storage.get(strided.range.clone()).ok_or_else(lost)?;
        gathered(bytes, strided.size, &entry.shape, strides).map(Cow::Owned).ok_or_else(lost)
    }

    /// The bytes of a storage.
    fn storage<'a>(&self, contents: &'a Contents, strided: &Strided) -> std::result::Result<Cow<'a, [u8]>, String> {
        let number = strided.member;
        if strided.deflated {
            let mut archive = self.archive.clone();
            let size = archive::member(&mut archive, number).map_err(|problem| problem.words)?.size;
            let size = usize::try_from(size).map_err(|_| format!("{size} bytes cannot be addressed"))?;
            return archive::data(&self.archive, contents, number, (0, size)).map_err(|problem| problem.words);
        }
        let proven = self.proven.get(number).ok_or("its storage is not in the archive")?;
        let prove = || archive::stored(&self.archive, number).map_err(|problem| problem.words);
        let range = proven.get_or_init(prove).clone()?;
        contents.as_ref().get(range).map(Cow::Borrowed).ok_or_else(|| "its storage reaches beyond the file".to_owned())
    }
}

/// Copies elements of `size` bytes with these strides into row-major order; `None` where an element lies outside.
fn gathered(bytes: &[u8], size: usize, shape: &[usize], strides: &[usize]) -> Option<Vec<u8>> {
    let elements: usize = shape.iter().product();
    let mut copy = Vec::with_capacity(elements * size);
    let mut index = vec![0; shape.len()];
    let mut offset = 0;
    for _ in 0..elements {
        copy.extend_from_slice(bytes.get(offset * size..(offset + 1) * size)?);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            offset += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            offset -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    Some(copy)
}
