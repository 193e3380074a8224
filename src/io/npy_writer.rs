//! Writers of `.npy` files, for a whole array or for pieces.

use std::io::{self, Write};
use std::path::Path;

use super::atomic_file::AtomicFile;
use super::npy_header::MAGIC;
use super::npy_literal::MOST_AXES;
use super::{file_error, shape};
use crate::Result;
use crate::tensor::size::checked_volume;

/// The alignment of the data in numpy, in bytes; also the size of a converted piece.
const ALIGNMENT: usize = 64;
const PIECE: usize = 1 << 12;

/// Writes an f32 array as a `.npy` file, little endian and row-major. The file appears either whole or not at all.
///
/// # Errors
/// [`Error::File`](crate::Error::File) where `data` has another number of values than the shape, or the file cannot be
/// written.
pub fn write_npy_f32(path: impl AsRef<Path>, shape: &[usize], data: &[f32]) -> Result<()> {
    let mut writer = NpyWriter::create(path, shape)?;
    writer.write_f32(data)?;
    writer.finish()
}

/// Writes an f64 array as a `.npy` file, as [`write_npy_f32`].
///
/// # Errors
/// As [`write_npy_f32`].
pub fn write_npy_f64(path: impl AsRef<Path>, shape: &[usize], data: &[f64]) -> Result<()> {
    let path = path.as_ref();
    let expected = elements(shape).map_err(|problem| file_error(path, problem))?;
    if data.len() != expected {
        return Err(file_error(path, format!("{} values, the shape has {expected}", data.len())));
    }
    let mut file = AtomicFile::create(path)?;
    let written = write_header(&mut file, "<f8", shape).and_then(|()| write_values(&mut file, data, f64::to_le_bytes));
    written.map_err(|error| file.failed(error))?;
    file.finish()
}

/// Writes an f32 array as a `.npy` file in pieces, so that a large array needs no second copy in memory.
///
/// The file appears under its name at [`NpyWriter::finish`]; a writer that is dropped before leaves no file.
#[derive(Debug)]
#[must_use = "nothing appears under the file's name before `finish`"]
pub struct NpyWriter {
    file: AtomicFile,
    path: std::path::PathBuf,
    expected: usize,
    written: usize,
}

impl NpyWriter {
    /// Begins a file for an array of this shape.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) where numpy cannot read the shape, or the directory cannot be written.
    pub fn create(path: impl AsRef<Path>, shape: &[usize]) -> Result<Self> {
        let path = path.as_ref();
        let expected = elements(shape).map_err(|problem| file_error(path, problem))?;
        let mut file = AtomicFile::create(path)?;
        write_header(&mut file, "<f4", shape).map_err(|error| file.failed(error))?;
        Ok(Self { file, path: path.to_path_buf(), expected, written: 0 })
    }

    /// Writes the next values, in row-major order.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) where the values do not fit the shape, or the disk.
    pub fn write_f32(&mut self, values: &[f32]) -> Result<()> {
        if values.len() > self.expected - self.written {
            let (written, expected) = (self.written, self.expected);
            let problem = format!("{} values after the first {written}, the shape has {expected}", values.len());
            return Err(file_error(&self.path, problem));
        }
        write_values(&mut self.file, values, f32::to_le_bytes).map_err(|error| self.file.failed(error))?;
        self.written += values.len();
        Ok(())
    }

    /// Renames the finished file to its path.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) where values are missing, or the file cannot be renamed.
    pub fn finish(self) -> Result<()> {
        if self.written < self.expected {
            let problem = format!("{} values were written, the shape has {}", self.written, self.expected);
            return Err(file_error(&self.path, problem));
        }
        self.file.finish()
    }
}

/// The number of elements of a shape that numpy can read back.
pub(super) fn elements(shape: &[usize]) -> Result<usize, String> {
    if shape.len() > MOST_AXES {
        return Err(format!("cannot be written: {} axes, numpy reads at most {MOST_AXES}", shape.len()));
    }
    // 8 bytes is the largest element that is written
    checked_volume(shape)
        .filter(|elements| elements.checked_mul(8).is_some())
        .ok_or_else(|| format!("cannot be written: {} is more than memory can address", shape::words(shape)))
}

/// The header of version 1, padded with spaces so that the data is aligned.
pub(super) fn write_header(file: &mut impl Write, descr: &str, shape: &[usize]) -> io::Result<()> {
    // With a final comma, because `(3)` is a number in Python.
    let axes =
        shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ") + if shape.len() == 1 { "," } else { "" };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}");
    let fixed = MAGIC.len() + 4;
    let end = (fixed + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', end - fixed - text.len() - 1));
    text.push('\n');
    let length = u16::try_from(text.len()).map_err(io::Error::other)?;
    file.write_all(MAGIC)?;
    file.write_all(&[1, 0])?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(text.as_bytes())
}

/// Values as bytes, through a small buffer.
pub(super) fn write_values<const SIZE: usize, T: Copy>(
    file: &mut impl Write,
    values: &[T],
    bytes: impl Fn(T) -> [u8; SIZE],
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(PIECE * SIZE);
    for piece in values.chunks(PIECE) {
        buffer.clear();
        buffer.extend(piece.iter().flat_map(|&value| bytes(value)));
        file.write_all(&buffer)?;
    }
    Ok(())
}
