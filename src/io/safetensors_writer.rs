//! A writer of safetensors files, in pieces.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::atomic_file::AtomicFile;
use super::safetensors::sized;
use super::{Element, Entry, encode, file_error, file_fault, shape, tensor_error};
use crate::Result;
use crate::tensor::size::checked_volume;

/// The alignment of the data in the file, in bytes, as other programs write it.
const ALIGNMENT: usize = 8;

/// The values of one conversion.
const PIECE: usize = 1 << 12;

/// A tensor to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorHeader {
    /// The name.
    pub name: String,
    /// The lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// The type of the elements; a type that safetensors have.
    pub element: Element,
}

/// The header of a tensor of a checkpoint.
impl From<&Entry> for TensorHeader {
    fn from(entry: &Entry) -> Self {
        Self { name: entry.name.clone(), shape: entry.shape.clone(), element: entry.element.clone() }
    }
}

/// Writes a safetensors file in pieces, so that no more than a piece is in memory.
///
/// The header comes first in the file, so that names, shapes and types are known from the start. The data follows in
/// the same order. The file appears under its name at [`SafetensorsWriter::finish`]; a writer that is dropped before
/// leaves no file. The same calls give the same bytes.
///
/// ```
/// use opnorm::io::{Checkpoint, Element, SafetensorsWriter, TensorHeader};
/// # fn main() -> opnorm::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// let path = folder.path().join("model.safetensors");
/// let header = |name: &str, shape: &[usize], element| {
///     TensorHeader { name: name.to_owned(), shape: shape.to_vec(), element }
/// };
/// let tensors = [header("fc.weight", &[2, 2], Element::F32), header("fc.bias", &[2], Element::Bf16)];
/// let mut writer = SafetensorsWriter::create(&path, &tensors, &[("format".into(), "pt".into())])?;
/// writer.write_f32(&[1.0, 2.0, 3.0, 4.0])?; // fc.weight
/// writer.write_f32(&[0.5, -0.5])?; // fc.bias, rounded to bf16
/// writer.finish()?;
/// let checkpoint = Checkpoint::open(&path)?;
/// assert_eq!(checkpoint.find("fc.bias").map(|entry| &entry.element), Some(&Element::Bf16));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing appears under the file's name before `finish`"]
pub struct SafetensorsWriter {
    file: AtomicFile,
    path: PathBuf,
    tensors: Vec<Tensor>,
    /// The tensor whose data comes next, and its bytes that were written.
    next: usize,
    written: usize,
}

/// A tensor of the file, with the end of its data.
#[derive(Debug)]
struct Tensor {
    header: TensorHeader,
    dtype: Dtype,
    bytes: usize,
    end: usize,
}

impl SafetensorsWriter {
    /// Begins a file for tensors in this order, with the pairs of `__metadata__`.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for an empty or repeated name, a type that the format does not have, a shape
    /// past memory, or a directory that cannot be written.
    pub fn create(path: impl AsRef<Path>, tensors: &[TensorHeader], metadata: &[(String, String)]) -> Result<Self> {
        let path = path.as_ref();
        let tensors = placed(path, tensors)?;
        let text = serde_json::to_string(&Header { tensors: &tensors, metadata })
            .map_err(|error| file_fault(path, "cannot be written", error))?;
        let padding = text.len().next_multiple_of(ALIGNMENT) - text.len();
        let mut file = AtomicFile::create(path)?;
        let length = ((text.len() + padding) as u64).to_le_bytes();
        let parts = [&length[..], text.as_bytes(), &[b' '; ALIGNMENT][..padding]];
        parts.iter().try_for_each(|part| file.write_all(part)).map_err(|error| file.failed(error))?;
        let mut writer = Self { file, path: path.to_path_buf(), tensors, next: 0, written: 0 };
        writer.skip_finished();
        Ok(writer)
    }

    /// Writes the next bytes of the tensor that comes next, as the file is to hold them.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) where the tensor has fewer bytes, or the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let Some(tensor) = self.tensors.get(self.next) else {
            return Err(file_error(&self.path, format!("{} bytes more than the tensors have", bytes.len())));
        };
        if bytes.len() > tensor.bytes - self.written {
            let problem = format!(
                "{} bytes after the first {}, its {} {} have {}",
                bytes.len(),
                self.written,
                shape::words(&tensor.header.shape),
                tensor.header.element,
                tensor.bytes
            );
            return Err(tensor_error(&self.path, &tensor.header.name, problem));
        }
        self.file.write_all(bytes).map_err(|error| self.file.failed(error))?;
        self.written += bytes.len();
        self.skip_finished();
        Ok(())
    }

    /// Writes the next values of the tensor that comes next, each rounded once to the type of the tensor.
    ///
    /// # Errors
    /// As [`SafetensorsWriter::write`]; a tensor of another type than floats.
    pub fn write_f32(&mut self, values: &[f32]) -> Result<()> {
        let mut piece = Vec::with_capacity(PIECE.min(values.len()));
        values.chunks(PIECE).try_for_each(|values| {
            piece.clear();
            piece.extend(values.iter().map(|&value| f64::from(value)));
            self.write_f64(&piece)
        })
    }

    /// Writes the next values of the tensor that comes next, each rounded once to the type of the tensor.
    ///
    /// # Errors
    /// As [`SafetensorsWriter::write_f32`].
    pub fn write_f64(&mut self, values: &[f64]) -> Result<()> {
        let element = match self.tensors.get(self.next).map(|tensor| &tensor.header) {
            Some(header) if !header.element.is_float() => {
                let problem = format!("floats were given, its elements are {}", header.element);
                return Err(tensor_error(&self.path, &header.name, problem));
            }
            Some(header) => header.element.clone(),
            None => Element::F64,
        };
        let mut bytes = Vec::with_capacity(PIECE.min(values.len()) * element.size());
        values.chunks(PIECE).try_for_each(|values| {
            bytes.clear();
            encode(&element, values, &mut bytes);
            self.write(&bytes)
        })
    }

    /// Renames the finished file to its path.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) where data is missing, or the file cannot be renamed.
    pub fn finish(self) -> Result<()> {
        if let Some(tensor) = self.tensors.get(self.next) {
            let problem = format!("{} bytes were written, it has {}", self.written, tensor.bytes);
            return Err(tensor_error(&self.path, &tensor.header.name, problem));
        }
        self.file.finish()
    }

    /// Goes on to the next tensor with missing data.
    fn skip_finished(&mut self) {
        while self.tensors.get(self.next).is_some_and(|tensor| self.written == tensor.bytes) {
            (self.next, self.written) = (self.next + 1, 0);
        }
    }
}

/// The tensors with their sizes and places.
fn placed(path: &Path, headers: &[TensorHeader]) -> Result<Vec<Tensor>> {
    let (mut names, mut end) = (HashSet::new(), 0usize);
    let one = |header: &TensorHeader| {
        let broken = |problem: String| tensor_error(path, &header.name, format!("cannot be written: {problem}"));
        if header.name == "__metadata__" || !names.insert(header.name.clone()) {
            return Err(broken("the name is reserved, or there twice".to_owned()));
        }
        let words = || format!("{} {}", shape::words(&header.shape), header.element);
        let Some((dtype, bytes)) = checked_volume(&header.shape).and_then(|count| sized(&header.element, count)) else {
            return Err(broken(format!("{} is past memory, or of a type that safetensors do not have", words())));
        };
        end = end.checked_add(bytes).ok_or_else(|| broken(format!("{} is past memory", words())))?;
        Ok(Tensor { header: header.clone(), dtype, bytes, end })
    };
    headers.iter().map(one).collect()
}

/// The header of a file as JSON.
struct Header<'a> {
    tensors: &'a [Tensor],
    metadata: &'a [(String, String)],
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            object.serialize_entry("__metadata__", &Pairs(self.metadata))?;
        }
        for Tensor { header, dtype, bytes, end } in self.tensors {
            object.serialize_entry(
                &header.name,
                &About { dtype: *dtype, shape: &header.shape, data_offsets: [end - bytes, *end] },
            )?;
        }
        object.end()
    }
}

/// A member of a header.
#[derive(serde::Serialize)]
struct About<'a> {
    dtype: Dtype,
    shape: &'a [usize],
    data_offsets: [usize; 2],
}

/// An object of pairs, in their order.
struct Pairs<'a>(&'a [(String, String)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
