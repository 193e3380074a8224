//! The bytes of a file, mapped into memory so that reads alone load pages.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::{file_error, file_fault};
use crate::Result;

/// The bytes of one file; clones share them.
#[derive(Clone)]
pub(super) struct Contents(Arc<Source>);

enum Source {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Contents {
    /// Maps a file without reading its bytes.
    pub fn map(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| file_fault(path, "cannot be opened", error);
        // The check comes before opening, because opening a named pipe would wait for a writer that may never come.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(file_error(path, "is not a regular file"));
        }
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() == 0 {
            return Ok(Self::owned(Vec::new()));
        }
        #[allow(unsafe_code, reason = "a memory map is the only way to list a large checkpoint without loading it")]
        // SAFETY: the map is private to this value and only ever read, as bytes: any bit pattern is a valid `u8`, and
        // every length was checked against the map, whose size is fixed. The file itself must not shrink or change
        // while the checkpoint is open. Another process that writes to the file changes values under way; a truncation
        // makes the next read of the lost pages end this process (SIGBUS). No portable call prevents that. Like every
        // reader of memory-mapped checkpoints, this code relies on checkpoints being written once and replaced by
        // renaming, which leaves an open map whole. `Checkpoint::open` documents this condition for users.
        let map = unsafe { Mmap::map(&file) };
        let map = map.map_err(|error| file_fault(path, "cannot be mapped into memory", error))?;
        Ok(Self(Arc::new(Source::Mapped(map))))
    }

    /// Wraps bytes in memory.
    pub fn owned(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Source::Owned(bytes)))
    }
}

impl AsRef<[u8]> for Contents {
    fn as_ref(&self) -> &[u8] {
        match &*self.0 {
            Source::Mapped(map) => map,
            Source::Owned(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &*self.0 {
            Source::Mapped(_) => "mapped",
            Source::Owned(_) => "owned",
        };
        write!(formatter, "Contents({} bytes, {kind})", self.as_ref().len())
    }
}
