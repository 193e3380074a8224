//! The entries of a checkpoint: tensors of the pickle, checked against their storages.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use super::super::archive::{self, Archive};
use super::super::contents::Contents;
use super::super::entry::{Entry, Lack, Layout, Place, Strided};
use super::super::{file_error, pickle, shape};
use super::names::{Found, named};
use super::rebuild::Described;
use super::storages::Storages;
use crate::Result;
use crate::tensor::size::checked_volume;

/// The bytes that a tensor may take beyond the length of its file: small tensors are often expanded.
const EXPANDED: usize = 1 << 17;

/// The members of an archive below the folder of its pickle.
struct Members<'a> {
    path: &'a Path,
    archive: Archive,
    /// The name in the folder -> the number in the archive.
    numbers: HashMap<String, usize>,
    /// The number of the file among those of the checkpoint.
    contents: usize,
    /// The bytes of the file.
    length: usize,
    big_endian: bool,
}

/// Opens an archive of `torch.save`, with remarks on the file; `number` is the file's among those of the checkpoint.
pub(in crate::io) fn open(
    path: &Path,
    contents: Contents,
    number: usize,
) -> Result<(Storages, Vec<Entry>, Vec<String>)> {
    let archive = archive::open(path, contents.clone())?;
    let names = archive::names(path, &archive)?;
    let folders = names.iter().filter_map(|(_, name)| {
        let folder = name.strip_suffix("data.pkl")?;
        (folder.is_empty() || folder.ends_with('/')).then(|| folder.to_owned())
    });
    let Some(folder) = folders.min_by_key(String::len) else {
        return Err(file_error(path, "the archive of PyTorch holds no data.pkl"));
    };
    let inside = |(number, name): (usize, String)| Some((name.strip_prefix(&folder)?.to_owned(), number));
    let numbers = names.into_iter().filter_map(inside).collect();
    let length = contents.as_ref().len();
    let mut members = Members { path, archive, numbers, contents: number, length, big_endian: false };
    let order = members.bytes(&contents, "byteorder").unwrap_or_default();
    members.big_endian = order.trim_ascii() == b"big";
    let bytes = members.bytes(&contents, "data.pkl").map_err(|problem| file_error(path, problem))?;
    let values = pickle::read(bytes).map_err(|problem| file_error(path, problem))?;
    let root = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let found = named(&values, &root).map_err(|problem| file_error(path, problem))?;
    let entries = found.into_iter().map(|(name, found)| members.entry(name, found)).collect();
    let remarks = archive::is_cut(&members.archive).then(|| archive::CUT.to_owned()).into_iter().collect();
    Ok((Storages::new(members.archive), entries, remarks))
}

impl Members<'_> {
    /// The bytes of a member, whose checksum is proven.
    fn bytes<'a>(&mut self, contents: &'a Contents, name: &str) -> std::result::Result<Cow<'a, [u8]>, String> {
        let number = *self.numbers.get(name).ok_or_else(|| format!("the archive holds no {name}"))?;
        let size = archive::member(&mut self.archive, number).map_err(|problem| problem.words)?.size;
        let size = usize::try_from(size).map_err(|_| format!("{size} bytes cannot be addressed"))?;
        let data = archive::data(&self.archive, contents, number, (0, size));
        data.map_err(|problem| format!("{name} {}", problem.words))
    }

    fn entry(&mut self, name: String, found: Found) -> Entry {
        let described = match found {
            Found::Tensor(described) => described,
            Found::Broken(problem) => return Entry::absent(self.path, name, Lack::absent(problem)),
            Found::Opaque(reason) => return Entry::absent(self.path, name, Lack::no_tensor(reason)),
        };
        let (element, shape) = (described.element.clone(), described.shape.clone());
        if checked_volume(&shape).and_then(|elements| elements.checked_mul(described.size)).is_none() {
            let words = shape::words(&shape);
            let problem = format!("the pickle says {words} {element}, which is more than memory can address");
            return Entry::absent(self.path, name, Lack::absent(problem));
        }
        let column_major = described.shape.len() > 1 && is_column_major(&described);
        let place = match self.strided(described, column_major) {
            Ok(strided) => Place::Strided(Box::new(strided)),
            Err(problem) => Place::Nowhere(Lack::broken(problem)),
        };
        let layout = Layout { column_major, big_endian: self.big_endian, ..Layout::default() };
        Entry { file: self.path.to_path_buf(), name, shape, element, layout, place, note: None, index: 0 }
    }

    /// The view of a tensor, within its storage and no larger than its file.
    fn strided(&mut self, tensor: Described, column_major: bool) -> std::result::Result<Strided, String> {
        let Described { key, element, size, offset, shape, strides } = tensor;
        let name = format!("data/{key}");
        let member = *self.numbers.get(&name).ok_or_else(|| format!("its storage, {name}, is not in the archive"))?;
        let opened = archive::member(&mut self.archive, member);
        let opened = opened.map_err(|problem| format!("its storage, {name}, {}", problem.words))?;
        let (held, deflated) = (opened.size, opened.deflated);
        let elements = checked_volume(&shape).unwrap_or(usize::MAX);
        let words = || format!("{} {element}", shape::words(&shape));
        let steps = shape
            .iter()
            .zip(&strides)
            .try_fold(0_usize, |sum, (length, stride)| sum.checked_add(length.saturating_sub(1).checked_mul(*stride)?));
        let span = if elements == 0 { Some(0) } else { steps.and_then(|steps| steps.checked_add(1)) };
        let start = offset.checked_mul(size);
        let end = span.and_then(|span| span.checked_add(offset)).and_then(|end| end.checked_mul(size));
        let (Some(start), Some(end)) = (start, end.filter(|end| *end as u64 <= held)) else {
            return Err(format!("{} from element {offset} on reach beyond the {held} bytes of {name}", words()));
        };
        let start = if elements == 0 { end.min(start) } else { start };
        let bytes = elements.saturating_mul(size);
        if bytes > self.length.max(EXPANDED) {
            return Err(format!(
                "{} = {bytes} bytes are expanded from {} bytes of {name}, and no tensor larger than its file is read: save \
                 `tensor.contiguous()`",
                words(),
                end - start
            ));
        }
        let is_dense = column_major || is_row_major(&shape, &strides);
        let strides = if is_dense || elements == 0 { None } else { Some(strides) };
        Ok(Strided { contents: self.contents, member, deflated, range: start..end, size, strides })
    }
}

/// Whether elements with these strides follow each other, the last axis first. Axes of one element have no stride that
/// counts.
fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1_usize;
    shape.iter().zip(strides).rev().all(|(&length, &stride)| {
        let fits = length == 1 || stride == expected;
        expected = expected.saturating_mul(length);
        fits
    })
}

/// Whether the elements follow each other, the first axis first, as those of a transposed matrix.
fn is_column_major(tensor: &Described) -> bool {
    let reversed = |numbers: &[usize]| numbers.iter().rev().copied().collect::<Vec<_>>();
    !is_row_major(&tensor.shape, &tensor.strides) && is_row_major(&reversed(&tensor.shape), &reversed(&tensor.strides))
}
