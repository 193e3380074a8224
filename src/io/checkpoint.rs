//! Checkpoints of any format: a list of tensors with a view of each.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::directory::{self, Taken};
use super::entry::Place;
use super::format::Format;
#[cfg(feature = "io-safetensors")]
use super::part::Part;
use super::sparse::SparseFile;
use super::{Entry, TensorView, tensor_error};
use crate::Result;

/// Tensors of a safetensors file, a PyTorch checkpoint, a sharded checkpoint by its `*.index.json`, a `.npy` or a
/// `.npz`.
#[derive(Debug)]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    entries: Vec<Entry>,
    /// Indices into `entries`, sorted by name.
    by_name: Vec<usize>,
    pub(super) contents: Vec<Contents>,
    remarks: Vec<String>,
    /// The sparse matrix that the file holds.
    pub(super) sparse: Option<SparseFile>,
    #[cfg(feature = "io-npy")]
    archive: Option<super::archive::Archive>,
    #[cfg(feature = "io-pytorch")]
    pickles: super::part::Pickles,
}

impl Checkpoint {
    /// Opens a file in the format of its bytes, or the checkpoint in a directory.
    ///
    /// A damaged checkpoint is opened as far as possible: a tensor that is missing, or whose bytes are, has an entry
    /// with [`Entry::damage`]. [`Checkpoint::remarks`] tells what concerns no single tensor.
    ///
    /// Only headers are read. The data stays in the memory-mapped file, which must not change or shrink while the
    /// checkpoint is open. Another program that truncates the file in place can end this process. Replacing a file by
    /// renaming another over the old one is safe.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for a file that cannot be read, is of no known format, or whose header
    /// cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        match path.is_dir() {
            true => Self::in_directory(path),
            false => Self::from_contents(path, Contents::map(path)?),
        }
    }

    fn in_directory(directory: &Path) -> Result<Self> {
        let choice = directory::choose(directory)?;
        let mut checkpoint = match &choice.taken {
            Taken::File(file) => Self::from_contents(file, Contents::map(file)?)?,
            #[cfg(feature = "io-safetensors")]
            Taken::Shards { files, missing } => {
                Self::of_part(directory, Format::Index, super::shards::open_all(files.clone(), missing))
            }
            #[cfg(not(feature = "io-safetensors"))]
            Taken::Shards { .. } => return Err(not_built(directory, "io-safetensors")),
        };
        let remark = directory::remark(&choice, |file| checkpoint.entries.iter().any(|entry| entry.file == file));
        checkpoint.remarks.splice(0..0, remark);
        Ok(checkpoint)
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

    #[cfg(feature = "io-npy")]
    pub(super) fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
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
    /// [`Error::File`](crate::Error::File) for a tensor that [`Entry::skipped`] or [`Entry::damage`] rules out, a
    /// tensor of another checkpoint, or broken compressed data.
    pub fn read(&self, entry: &Entry) -> Result<TensorView<'_>> {
        let own = self.own(entry)?;
        match own.skipped() {
            Some(reason) => Err(tensor_error(&own.file, &own.name, reason)),
            None => self.view(own),
        }
    }

    /// The checked entry, by position, so that it is read even if the caller changed a copy.
    pub(super) fn own(&self, entry: &Entry) -> Result<&Entry> {
        let own = self.entries.get(entry.index).filter(|own| own.name == entry.name && own.file == entry.file);
        own.ok_or_else(|| tensor_error(&entry.file, &entry.name, "is not a tensor of this checkpoint"))
    }

    pub(super) fn view<'a>(&'a self, own: &'a Entry) -> Result<TensorView<'a>> {
        let bytes = match &own.place {
            Place::Nowhere(lack) => return Err(tensor_error(&own.file, &own.name, lack.reason.as_str())),
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
            #[cfg(feature = "io-pytorch")]
            Place::Strided(strided) => match (self.pickles.get(&strided.contents), self.contents.get(strided.contents))
            {
                (Some(storages), Some(contents)) => Some(storages.read(contents, own, strided)?),
                _ => None,
            },
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
        if let Some(damage) = own.and_then(Entry::damage) {
            return Err(tensor_error(&entry.file, &entry.name, damage));
        }
        let bytes = match own.map(|own| &own.place) {
            Some(Place::Bytes { contents, range }) if matches!(self.format, Format::Safetensors | Format::Index) => {
                self.contents.get(*contents).and_then(|contents| contents.as_ref().get(range.clone()))
            }
            _ => None,
        };
        bytes.ok_or_else(|| tensor_error(&entry.file, &entry.name, "is not a tensor of this safetensors checkpoint"))
    }

    /// Remarks that concern no single tensor: the choice of a file among several, bytes that belong to no tensor.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The path that was opened, or the name of a file in memory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes that [`Checkpoint::read`] unpacks a tensor to; 0 where the data stays in the file.
    pub(crate) fn unpacked_bytes(&self, entry: &Entry) -> u64 {
        match &entry.place {
            #[cfg(feature = "io-pytorch")]
            Place::Strided(strided) => strided.unpacked_bytes(entry.elements()),
            Place::Member { deflated: true, .. } => entry.bytes() as u64,
            _ => 0,
        }
    }

    fn from_contents(path: &Path, contents: Contents) -> Result<Self> {
        let format = Format::of(path, &contents)?;
        match format {
            #[cfg(feature = "io-safetensors")]
            Format::Safetensors => {
                let mut part = Part::default();
                (part.entries, part.remarks) = part.open(path, contents)?;
                Ok(Self::of_part(path, format, part))
            }
            #[cfg(feature = "io-safetensors")]
            Format::Index => Ok(Self::of_part(path, format, super::shards::open(path, contents.as_ref())?)),
            #[cfg(feature = "io-pytorch")]
            Format::PyTorch => {
                let mut part = Part::default();
                (part.entries, part.remarks) = part.open(path, contents)?;
                Ok(Self::of_part(path, format, part))
            }
            #[cfg(not(feature = "io-pytorch"))]
            Format::PyTorch => Err(not_built(path, "io-pytorch")),
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

    #[cfg(feature = "io-safetensors")]
    fn of_part(path: &Path, format: Format, part: Part) -> Self {
        Self {
            // The format of an index is that of its shards.
            #[cfg(feature = "io-pytorch")]
            format: if part.pickles.is_empty() { format } else { Format::PyTorch },
            remarks: part.remarks,
            #[cfg(feature = "io-pytorch")]
            pickles: part.pickles,
            ..Self::new(path, format, part.entries, part.contents)
        }
    }

    fn new(path: &Path, format: Format, mut entries: Vec<Entry>, contents: Vec<Contents>) -> Self {
        entries.iter_mut().enumerate().for_each(|(index, entry)| entry.index = index);
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by(|&left, &right| entries[left].name.cmp(&entries[right].name));
        Self {
            path: path.to_path_buf(),
            format,
            entries,
            by_name,
            contents,
            remarks: Vec::new(),
            sparse: None,
            #[cfg(feature = "io-npy")]
            archive: None,
            #[cfg(feature = "io-pytorch")]
            pickles: super::part::Pickles::new(),
        }
    }
}

#[cfg(not(all(feature = "io-safetensors", feature = "io-npy", feature = "io-pytorch", feature = "io-mtx")))]
fn not_built(path: &Path, feature: &str) -> crate::Error {
    super::file_error(path, format!("this build cannot read the format: build opnorm with its feature `{feature}`"))
}
