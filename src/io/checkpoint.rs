//! Checkpoints of any format: a list of tensors with a view of each.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::entry::Place;
use super::format::{Format, READ};
use super::integer::Integer;
use super::sparse::SparseFile;
use super::{Entry, TensorView, file_error, file_fault, tensor_error};
use crate::Result;

/// Tensors of a safetensors file, a sharded checkpoint by its `*.index.json`, a `.npy` or a `.npz`.
#[derive(Debug)]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    entries: Vec<Entry>,
    /// Indices into `entries`, sorted by name.
    by_name: Vec<usize>,
    pub(super) contents: Vec<Contents>,
    /// The sparse matrix that the file holds.
    pub(super) sparse: Option<SparseFile>,
    #[cfg(feature = "io-npy")]
    archive: Option<super::npz::Archive>,
}

impl Checkpoint {
    /// Opens a file in the format of its bytes, or the only checkpoint in a directory.
    ///
    /// Only headers are read. The data stays in the memory-mapped file, which must not change or shrink while the
    /// checkpoint is open. Another program that truncates the file in place can end this process. Replacing a file by
    /// renaming another over the old one is safe.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a file that cannot be read, is of no known format, or contradicts
    /// itself.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.is_dir() {
            let file = the_one_in(path)?;
            return Self::from_contents(&file, Contents::map(&file)?);
        }
        Self::from_contents(path, Contents::map(path)?)
    }

    /// Opens a file in memory.
    ///
    /// `name` stands in messages, and tells the format where the bytes do not. An index looks for its shards beside
    /// `name`, so that `name` is then a path.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self> {
        Self::from_contents(Path::new(name), Contents::owned(bytes))
    }

    /// The format of the opened file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The tensors, in the order of their data; for a sharded checkpoint, sorted by name.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The tensor of this name.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        let found = self.by_name.binary_search_by(|&index| self.entries[index].name.as_str().cmp(name)).ok()?;
        Some(&self.entries[self.by_name[found]])
    }

    /// A view of a tensor's data.
    ///
    /// Uncompressed data stays in the file and is loaded during the copy. A member of a `.npz` is read once here to
    /// prove its checksum. A deflated member is decompressed into memory at each call.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a tensor that [`Entry::skipped`] rules out, a tensor of another
    /// checkpoint, or broken compressed data.
    pub fn read(&self, entry: &Entry) -> Result<TensorView<'_>> {
        let own = self.own(entry)?;
        match own.skipped() {
            Some(reason) => Err(tensor_error(&own.file, &own.name, reason)),
            None => self.view(own),
        }
    }

    /// The elements of a tensor of integers or booleans in row-major order; true is 1.
    ///
    /// ```
    /// # #[cfg(feature = "io-npy")]
    /// # fn main() -> opnorm::Result<()> {
    /// let checkpoint = opnorm::io::Checkpoint::open("tests/data/integers.npy")?;
    /// let integers = checkpoint.read_integers(&checkpoint.entries()[0])?;
    /// assert_eq!(integers.len(), checkpoint.entries()[0].elements());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "io-npy"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a tensor of another type, a tensor of another checkpoint, or broken
    /// compressed data.
    pub fn read_integers(&self, entry: &Entry) -> Result<Vec<i128>> {
        let own = self.own(entry)?;
        if Integer::of(&own.element).is_none() {
            let problem = format!("is of type {}, neither integers nor booleans", own.element);
            return Err(tensor_error(&own.file, &own.name, problem));
        }
        let view = self.view(own)?;
        let mut integers = vec![0; own.elements()];
        view.copy_integers(0, &mut integers)?;
        Ok(integers)
    }

    /// The checked entry, by position, so that it is read even if the caller changed a copy.
    pub(super) fn own(&self, entry: &Entry) -> Result<&Entry> {
        let own = self.entries.get(entry.index).filter(|own| own.name == entry.name && own.file == entry.file);
        own.ok_or_else(|| tensor_error(&entry.file, &entry.name, "is not a tensor of this checkpoint"))
    }

    fn view<'a>(&'a self, own: &'a Entry) -> Result<TensorView<'a>> {
        let bytes = match &own.place {
            Place::Bytes { contents, range } => self
                .contents
                .get(*contents)
                .and_then(|contents| contents.as_ref().get(range.clone()))
                .map(Cow::Borrowed),
            #[cfg(feature = "io-npy")]
            Place::Member { .. } => match (&self.archive, self.contents.first()) {
                (Some(archive), Some(contents)) => Some(super::npz::read(archive, contents, own)?),
                _ => None,
            },
            #[cfg(not(feature = "io-npy"))]
            Place::Member { .. } => None,
            Place::Sparse { .. } => {
                let problem = "is a sparse matrix, which only `opnorm norm`, `opnorm audit` and `read_sparse` read";
                return Err(tensor_error(&own.file, &own.name, problem));
            }
        };
        let bytes = bytes.ok_or_else(|| tensor_error(&own.file, &own.name, "its data is not in the file"))?;
        TensorView::new(own, bytes)
    }

    /// The bytes of a tensor of any type, as the file holds them.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a tensor of another checkpoint, or of a format other than safetensors.
    pub fn bytes(&self, entry: &Entry) -> Result<&[u8]> {
        let own = self.entries.get(entry.index).filter(|own| own.name == entry.name && own.file == entry.file);
        let bytes = match own.map(|own| &own.place) {
            Some(Place::Bytes { contents, range }) if matches!(self.format, Format::Safetensors | Format::Index) => {
                self.contents.get(*contents).and_then(|contents| contents.as_ref().get(range.clone()))
            }
            _ => None,
        };
        bytes.ok_or_else(|| tensor_error(&entry.file, &entry.name, "is not a tensor of this safetensors checkpoint"))
    }

    /// The path that was opened, or the name of a file in memory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes that [`Checkpoint::read`] unpacks a tensor to; 0 where the data stays in the file.
    pub(crate) fn unpacked_bytes(&self, entry: &Entry) -> u64 {
        match entry.place {
            Place::Member { deflated: true, .. } => {
                (entry.elements() as u64).saturating_mul(entry.element.size() as u64)
            }
            _ => 0,
        }
    }

    fn from_contents(path: &Path, contents: Contents) -> Result<Self> {
        let format = Format::of(path, contents.as_ref())?;
        match format {
            #[cfg(feature = "io-safetensors")]
            Format::Safetensors => {
                let tensors = super::safetensors::tensors(path, contents.as_ref())?;
                let entries = tensors.into_iter().enumerate().map(|(index, tensor)| Entry {
                    file: path.to_path_buf(),
                    name: tensor.name,
                    shape: tensor.shape,
                    element: tensor.element,
                    layout: super::entry::Layout::default(),
                    place: Place::Bytes { contents: 0, range: tensor.range },
                    index,
                });
                Ok(Self::new(path, format, entries.collect(), vec![contents]))
            }
            #[cfg(feature = "io-safetensors")]
            Format::Index => {
                let (contents, entries) = super::shards::open(path, contents.as_ref())?;
                Ok(Self::new(path, format, entries, contents))
            }
            #[cfg(not(feature = "io-safetensors"))]
            Format::Safetensors | Format::Index => Err(not_built(path, "io-safetensors")),

            #[cfg(feature = "io-npy")]
            Format::Npy => {
                let entry = super::npy::entry(path, contents.as_ref())?;
                Ok(Self::new(path, format, vec![entry], vec![contents]))
            }
            #[cfg(feature = "io-npy")]
            Format::Npz => {
                let (archive, members) = super::npz::open(path, contents.clone())?;
                match super::scipy::open(path, &archive, &contents, members)? {
                    Ok((sparse, entry)) => {
                        let sparse = Some(SparseFile::Scipy(sparse, archive));
                        Ok(Self { sparse, ..Self::new(path, format, vec![entry], vec![contents]) })
                    }
                    Err(members) => {
                        Ok(Self { archive: Some(archive), ..Self::new(path, format, members, vec![contents]) })
                    }
                }
            }
            #[cfg(not(feature = "io-npy"))]
            Format::Npy | Format::Npz => Err(not_built(path, "io-npy")),
            #[cfg(feature = "io-mtx")]
            Format::MatrixMarket => {
                let (header, entry) = super::matrix_market::open(path, contents.as_ref())?;
                let sparse = Some(SparseFile::MatrixMarket(header));
                Ok(Self { sparse, ..Self::new(path, format, vec![entry], vec![contents]) })
            }
            #[cfg(not(feature = "io-mtx"))]
            Format::MatrixMarket => Err(not_built(path, "io-mtx")),
        }
    }

    fn new(path: &Path, format: Format, entries: Vec<Entry>, contents: Vec<Contents>) -> Self {
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by(|&left, &right| entries[left].name.cmp(&entries[right].name));
        Self {
            path: path.to_path_buf(),
            format,
            entries,
            by_name,
            contents,
            sparse: None,
            #[cfg(feature = "io-npy")]
            archive: None,
        }
    }
}

#[cfg(not(all(feature = "io-safetensors", feature = "io-npy", feature = "io-mtx")))]
fn not_built(path: &Path, feature: &str) -> crate::Error {
    file_error(path, format!("this build cannot read the format: build opnorm with its feature `{feature}`"))
}

/// The checkpoint in a directory: an index before single files, `model.safetensors.index.json` before other indices.
fn the_one_in(directory: &Path) -> Result<PathBuf> {
    let index = directory.join("model.safetensors.index.json");
    if index.is_file() {
        return Ok(index);
    }
    let failed = |error: std::io::Error| file_fault(directory, "cannot be listed", error);
    let (mut indices, mut files) = (Vec::new(), Vec::new());
    for item in std::fs::read_dir(directory).map_err(failed)? {
        let path = item.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.ends_with(".safetensors.index.json") {
            indices.push(path);
        } else if name.ends_with(".safetensors") {
            files.push(path);
        }
    }
    for found in [indices, files] {
        match <[PathBuf; 1]>::try_from(found) {
            Ok([path]) => return Ok(path),
            Err(found) if found.is_empty() => {}
            Err(mut found) => {
                found.sort();
                let names = found.iter().take(3).filter_map(|path| path.file_name()).map(|name| name.to_string_lossy());
                let names = names.collect::<Vec<_>>().join(", ");
                let problem = format!("the directory holds {} checkpoints ({names}, ...): name one", found.len());
                return Err(file_error(directory, problem));
            }
        }
    }
    Err(file_error(directory, format!("the directory holds no *.safetensors.index.json and no *.safetensors; {READ}")))
}
