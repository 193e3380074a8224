//! The header of a safetensors file.
//!
//! ```text
//! length (8 bytes) | header (JSON: name, type, shape and byte range of each tensor) | data
//! ```
//!
//! The `safetensors` crate knows the types. The checks here are of one tensor at a time, where the crate refuses a
//! whole file: a tensor that contradicts the file has an entry with the reason, and the others are read.

use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::contents::Contents;
use super::entry::{Entry, Lack, Layout, Place};
use super::format::without_mark;
use super::members::Members;
use super::{Element, file_error, file_fault, shape};
use crate::Result;
use crate::tensor::size::checked_volume;

/// The longest header of the format.
const LONGEST_HEADER: u64 = 100_000_000;

/// The free text of a header, which may hold anything beside it.
#[derive(Deserialize)]
struct Free {
    #[serde(rename = "__metadata__")]
    metadata: Option<Members<String>>,
}

/// The pairs of `__metadata__`, in the order of the file, of a file whose header was read before.
fn metadata(path: &Path, bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let header = bytes.split_first_chunk::<8>().and_then(|(length, rest)| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        rest.get(..length)
    });
    let free: Free = serde_json::from_slice(without_mark(header.unwrap_or_default()))
        .map_err(|error| file_fault(path, "the metadata is not text", error))?;
    let Some(pairs) = free.metadata else { return Ok(Vec::new()) };
    match pairs.repeated().into_iter().min() {
        Some(key) => Err(file_error(path, format!("the metadata holds the key `{key}` twice"))),
        None => Ok(pairs.0),
    }
}

/// The pairs of several files, each key with its first value.
pub(super) fn joined_metadata(path: &Path, files: &[Contents]) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for contents in files {
        for pair in metadata(path, contents.as_ref())? {
            if !pairs.iter().any(|(key, _)| *key == pair.0) {
                pairs.push(pair);
            }
        }
    }
    Ok(pairs)
}

/// A tensor of a type that the crate does not know.
#[derive(Deserialize)]
struct Unknown {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// The tensors of a file in the order of their data, and remarks on the file.
///
/// `contents` is the number of the file among those of the checkpoint.
pub(super) fn entries(path: &Path, bytes: &[u8], contents: usize) -> Result<(Vec<Entry>, Vec<String>)> {
    let (header, data) = split(path, bytes)?;
    let start = bytes.len() - data.len();
    let listed: Members<&RawValue> = serde_json::from_slice(without_mark(header))
        .map_err(|error| file_fault(path, "the header is not one of safetensors", error))?;
    let repeated = listed.repeated();
    let mut tensors: Vec<Tensor> = listed.0.into_iter().map(|(name, raw)| Tensor::of(name, raw, data.len())).collect();
    for tensor in tensors.iter_mut().filter(|tensor| repeated.contains(&tensor.name)) {
        tensor.lack = Some(Lack::absent("the header lists the name twice"));
    }
    // By name too, because empty tensors can share an offset.
    tensors.sort_by(|left, right| left.key().cmp(&right.key()));
    tensors.dedup_by(|second, first| second.name == first.name && repeated.contains(&second.name));
    refuse_overlaps(&mut tensors);
    let remarks = unclaimed(&tensors, data.len()).into_iter().collect();
    let entry = |tensor: Tensor| Entry {
        file: path.to_path_buf(),
        name: tensor.name,
        shape: tensor.shape,
        element: tensor.element,
        layout: Layout::default(),
        place: match tensor.lack {
            Some(lack) => Place::Nowhere(lack),
            None => Place::Bytes { contents, range: start + tensor.range.start..start + tensor.range.end },
        },
        note: tensor.note,
        index: 0,
    };
    Ok((tensors.into_iter().map(entry).collect(), remarks))
}

/// The header and the data.
fn split<'a>(path: &Path, bytes: &'a [u8]) -> Result<(&'a [u8], &'a [u8])> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        let problem = format!(
            "a safetensors file starts with the 8 bytes of its header's length, the file holds {}",
            bytes.len()
        );
        return Err(file_error(path, problem));
    };
    let length = u64::from_le_bytes(*length);
    if length > LONGEST_HEADER {
        let problem = format!("the header says it is {length} bytes long, {LONGEST_HEADER} are allowed");
        return Err(file_error(path, problem));
    }
    // No loss, because 100 000 000 fits a usize of 32 bits.
    rest.split_at_checked(length as usize).ok_or_else(|| {
        let held = rest.len();
        let problem = format!(
            "the header says it is {length} bytes long, the file holds {held} bytes of it: the file is cut short, copy \
             or download it again"
        );
        file_error(path, problem)
    })
}

/// A tensor of the header.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    element: Element,
    /// The range of the bytes in the data, as the header says; for an unknown range, an empty range after all others.
    range: Range<usize>,
    lack: Option<Lack>,
    note: Option<String>,
}

impl Tensor {
    /// The tensor of a member of the header, before a `data` of so many bytes.
    fn of(name: String, raw: &RawValue, data: usize) -> Self {
        let known: Result<TensorInfo, _> = serde_json::from_str(raw.get());
        let unknown: Option<Unknown> = known.as_ref().err().and_then(|_| serde_json::from_str(raw.get()).ok());
        let (shape, element, (from, to), lack) = match (known, unknown) {
            (Ok(info), _) => {
                let lack = problem(&info, data);
                (info.shape, element(info.dtype), info.data_offsets, lack)
            }
            (Err(_), Some(Unknown { dtype, shape, data_offsets })) => {
                let lack = Lack::broken(format!("the type `{dtype}` of the elements is not known here"));
                (shape, Element::Other(dtype), data_offsets, Some(lack))
            }
            (Err(error), None) => {
                let lack = Lack::absent(format!("the header describes no tensor: {error}"));
                (Vec::new(), Element::Other(String::new()), (usize::MAX, usize::MAX), Some(lack))
            }
        };
        Self { name, shape, element, range: from..to, lack, note: None }
    }

    /// The order of tensors.
    fn key(&self) -> (&usize, &usize, &String) {
        (&self.range.start, &self.range.end, &self.name)
    }
}

/// The contradiction between a tensor and its bytes.
fn problem(info: &TensorInfo, data: usize) -> Option<Lack> {
    let (from, to) = info.data_offsets;
    let size = checked_volume(&info.shape).and_then(|elements| elements.checked_mul(info.dtype.bitsize()));
    let words = format!("{} {}", shape::words(&info.shape), element(info.dtype));
    let problem = match size {
        None => return Some(Lack::absent(format!("the header says {words}, which is more than memory can address"))),
        _ if to < from => format!("its bytes end at {to} before they begin at {from}"),
        Some(bits) if bits % 8 != 0 => format!("the header says {words}, which ends within a byte"),
        Some(bits) if bits / 8 != to - from => {
            format!("the header says {words} = {} bytes, its bytes {from}..{to} are {}", bits / 8, to - from)
        }
        _ if to > data => format!(
            "its bytes {from}..{to} lie beyond the {data} bytes of data that the file holds: the file is cut short, \
             copy or download it again"
        ),
        Some(_) => return None,
    };
    Some(Lack::broken(problem))
}

/// Refuses whole tensors that begin within another.
///
/// Writers put one tensor after another, so that the tensor that begins before the end of the last is out of place.
fn refuse_overlaps(tensors: &mut [Tensor]) {
    let mut last: Option<usize> = None;
    for number in 0..tensors.len() {
        let range = tensors[number].range.clone();
        if tensors[number].lack.is_some() || range.is_empty() {
            continue;
        }
        match last.filter(|&last| range.start < tensors[last].range.end) {
            Some(last) => {
                let (before, end) = (tensors[last].name.clone(), tensors[last].range.end);
                let words =
                    format!("its bytes {}..{} overlap those of `{before}`, which end at {end}", range.start, range.end);
                tensors[number].lack = Some(Lack::broken(words));
                let note = format!("the header gives a part of its bytes to `{}` as well", tensors[number].name);
                tensors[last].note.get_or_insert(note);
            }
            None => last = Some(number),
        }
    }
}

/// The remark on bytes that no tensor claims.
fn unclaimed(tensors: &[Tensor], data: usize) -> Option<String> {
    if tensors.iter().any(|tensor| tensor.range.start == usize::MAX) {
        return None;
    }
    let (mut end, mut free) = (0, 0);
    for range in tensors.iter().map(|tensor| &tensor.range).filter(|range| !range.is_empty()) {
        free += range.start.min(data).saturating_sub(end);
        end = end.max(range.end.min(data));
    }
    free += data - end;
    (free > 0).then(|| format!("{free} of the {data} bytes of data belong to no tensor"))
}

/// The type of the format for elements, and the bytes of so many of them.
pub(super) fn sized(element: &Element, elements: usize) -> Option<(Dtype, usize)> {
    let name = serde_json::to_string(&element.to_string().to_uppercase()).ok()?;
    let dtype: Dtype = serde_json::from_str(&name).ok()?;
    let bits = elements.checked_mul(dtype.bitsize())?;
    (bits % 8 == 0).then_some((dtype, bits / 8))
}

/// The element type by that of the format.
pub(super) fn element(dtype: Dtype) -> Element {
    Element::of_safetensors(&dtype.to_string())
}
