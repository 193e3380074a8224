//! A writer of `.npz` files: several named arrays, uncompressed.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::atomic_file::AtomicFile;
use super::{file_fault, npy_writer, tensor_error, tensor_fault};
use crate::Result;

/// The values of one array, in row-major order.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum NpzData<'a> {
    /// Values written as `<f4`.
    F32(&'a [f32]),
    /// Values written as `<f8`.
    F64(&'a [f64]),
}

/// Writes named arrays as a `.npz` file that `numpy.load` reads. The file appears either whole or not at all.
///
/// The members are stored without compression, so that they can be mapped. The same arrays give the same bytes.
///
/// # Errors
/// [`Error::File`](crate::Error::File) for an array with another number of values than its shape, for an empty or
/// repeated name, or where the file cannot be written.
pub fn write_npz(path: impl AsRef<Path>, arrays: &[(&str, &[usize], NpzData<'_>)]) -> Result<()> {
    let path = path.as_ref();
    let mut names = HashSet::new();
    for &(name, shape, data) in arrays {
        let broken = |problem: String| tensor_error(path, name, problem);
        if name.is_empty() || name.ends_with(['/', '\\']) || !names.insert(name.strip_suffix(".npy").unwrap_or(name)) {
            return Err(broken("cannot be written: the name is empty, a directory's, or there twice".to_owned()));
        }
        let expected = npy_writer::elements(shape).map_err(broken)?;
        let given = match data {
            NpzData::F32(values) => values.len(),
            NpzData::F64(values) => values.len(),
        };
        if given != expected {
            return Err(broken(format!("cannot be written: {given} values, the shape has {expected}")));
        }
    }
    let mut archive = ZipWriter::new(AtomicFile::create(path)?);
    for &(name, shape, data) in arrays {
        write_array(&mut archive, name, shape, data)
            .map_err(|error| tensor_fault(path, name, "cannot be written", error))?;
    }
    let file = archive.finish().map_err(|error| file_fault(path, "cannot be written", error))?;
    file.finish()
}

fn write_array(archive: &mut ZipWriter<AtomicFile>, name: &str, shape: &[usize], data: NpzData<'_>) -> io::Result<()> {
    // A zip member of 4 GiB or more needs wider fields, which must be requested before the size is written; the header
    // counts too.
    const WIDE: usize = u32::MAX as usize - (1 << 16);
    let bytes = match data {
        NpzData::F32(values) => size_of_val(values),
        NpzData::F64(values) => size_of_val(values),
    };
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(bytes > WIDE);
    archive.start_file(format!("{name}.npy"), options)?;
    match data {
        NpzData::F32(values) => {
            npy_writer::write_header(archive, "<f4", shape)?;
            npy_writer::write_values(archive, values, f32::to_le_bytes)
        }
        NpzData::F64(values) => {
            npy_writer::write_header(archive, "<f8", shape)?;
            npy_writer::write_values(archive, values, f64::to_le_bytes)
        }
    }?;
    archive.flush()
}
