//! A file that appears under its name either whole or not at all.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Fault, file_error, file_fault};
use crate::{Error, Result};

/// The number of the next temporary file of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A file that is written beside its destination and at the end renamed over the destination. A file dropped before is
/// removed.
#[derive(Debug)]
pub(super) struct AtomicFile {
    /// The open file; `None` after the rename.
    file: Option<BufWriter<File>>,
    temporary: PathBuf,
    destination: PathBuf,
}

impl AtomicFile {
    /// Creates the temporary file, in the folder of the destination or of the file that the destination links to.
    pub fn create(destination: &Path) -> Result<Self> {
        let destination = &replaceable(destination)?;
        let Some(name) = destination.file_name() else {
            return Err(file_error(destination, "cannot be written: the path names no file"));
        };
        // A leftover of an earlier process with the same id can have the name, so that the next number is tried.
        for _ in 0..100 {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
            let temporary = destination.with_file_name(hidden);
            match OpenOptions::new().read(true).write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    let destination = destination.to_path_buf();
                    return Ok(Self { file: Some(BufWriter::with_capacity(1 << 16, file)), temporary, destination });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(file_fault(destination, "cannot be written", error)),
            }
        }
        Err(file_error(destination, "cannot be written: its directory is full of temporary files of the same name"))
    }

    /// The error for a write that failed.
    pub fn failed(&self, error: impl Into<Fault>) -> Error {
        file_fault(&self.destination, "cannot be written", error)
    }

    /// Renames the file over its destination, once its bytes are on the disk.
    pub fn finish(mut self) -> Result<()> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let renamed = file.flush().and_then(|()| file.get_ref().sync_all()).and_then(|()| {
            drop(file);
            std::fs::rename(&self.temporary, &self.destination)
        });
        renamed.map_err(|error| {
            self.remove();
            self.failed(error)
        })
    }

    fn remove(&self) {
        // A failed removal is ignored, because the caller already has the first error.
        let _ = std::fs::remove_file(&self.temporary);
    }

    fn open(&mut self) -> io::Result<&mut BufWriter<File>> {
        self.file.as_mut().ok_or_else(|| io::Error::other("the file is finished"))
    }
}

/// The path that a rename may replace: a free path, or the path of a writable regular file. A rename would destroy a
/// device or a pipe for every program of the machine, and would turn a link into a file.
fn replaceable(destination: &Path) -> Result<PathBuf> {
    if std::fs::symlink_metadata(destination).is_err() {
        return Ok(destination.to_path_buf());
    }
    let refuse = |error: io::Error| file_fault(destination, "cannot be written", error);
    let target = std::fs::canonicalize(destination).map_err(refuse)?;
    let metadata = std::fs::metadata(&target).map_err(refuse)?;
    if !metadata.is_file() {
        return Err(file_error(destination, "cannot be written: it is there already, and is no regular file"));
    }
    if metadata.permissions().readonly() {
        return Err(file_error(destination, "cannot be written: it is there already, and is read-only"));
    }
    Ok(target)
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // No last write, because nobody will see the file.
            let _ = file.into_parts();
            self.remove();
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open()?.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.open()?.seek(position)
    }
}
