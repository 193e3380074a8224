//! The header of a safetensors file.
//!
//! ```text
//! length (8 bytes) | header (JSON: name, type, shape and byte range of each tensor) | data
//! ```
//!
//! The `safetensors` crate knows the types and decides which files are valid. The checks here come before, because
//! their messages hold the names and the numbers.

use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Deserialize;

use super::unique_map::UniqueMap;
use super::{Element, file_error, file_fault, shape, tensor_error};
use crate::Result;
use crate::tensor::size::checked_volume;

/// The longest header of the format.
const LONGEST_HEADER: u64 = 100_000_000;

/// The free text of a header, which may hold anything beside it.
#[derive(Deserialize)]
struct Free {
    #[serde(rename = "__metadata__")]
    metadata: Option<UniqueMap<String>>,
}

/// The pairs of `__metadata__`, in the order of the file, of a file whose header was read before.
pub(super) fn metadata(path: &Path, bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let header = bytes.split_first_chunk::<8>().and_then(|(length, rest)| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        rest.get(..length)
    });
    let free: Free = serde_json::from_slice(header.unwrap_or_default())
        .map_err(|error| file_fault(path, "the metadata is not text", error))?;
    Ok(free.metadata.map(|UniqueMap(pairs)| pairs).unwrap_or_default())
}

/// A tensor of the header.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub element: Element,
    /// The byte range of its data in the file.
    pub range: Range<usize>,
}

/// The tensors of a file in the order of their data.
pub(super) fn tensors(path: &Path, bytes: &[u8]) -> Result<Vec<Tensor>> {
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
    let length = length as usize;
    let Some((header, data)) = rest.split_at_checked(length) else {
        let problem = format!("the header says it is {length} bytes long, the file holds {} bytes of it", rest.len());
        return Err(file_error(path, problem));
    };
    let UniqueMap(mut listed) = serde_json::from_slice::<UniqueMap<TensorInfo>>(header)
        .map_err(|error| file_fault(path, "the header is not one of safetensors", error))?;
    // By name too, because empty tensors can share an offset and the order of a hash would vary.
    listed.sort_by(|left, right| (left.1.data_offsets, &left.0).cmp(&(right.1.data_offsets, &right.0)));
    check_ranges(path, &listed, data.len())?;

    let metadata = Metadata::new(None, listed).map_err(|error| file_fault(path, "safetensors", error))?;
    let start = 8 + length;
    let tensors = metadata.offset_keys().into_iter().filter_map(|name| {
        let info = metadata.info(&name)?;
        let (from, to) = info.data_offsets;
        let range = start + from..start + to;
        Some(Tensor { element: element(info.dtype), shape: info.shape.clone(), range, name })
    });
    Ok(tensors.collect())
}

/// Checks that each tensor has the bytes of its shape, without gaps, up to the end of the file.
fn check_ranges(path: &Path, listed: &[(String, TensorInfo)], data: usize) -> Result<()> {
    let mut end = 0;
    let mut before = "";
    for (name, info) in listed {
        let (from, to) = info.data_offsets;
        let size = checked_volume(&info.shape).and_then(|elements| elements.checked_mul(info.dtype.bitsize()));
        let words = format!("{} {}", shape::words(&info.shape), element(info.dtype));
        let problem = match size {
            _ if to < from => format!("its bytes end at {to} before they begin at {from}"),
            _ if from < end => format!("its bytes {from}..{to} overlap those of `{before}`, which end at {end}"),
            _ if from > end => format!("the bytes {end}..{from} before its own belong to no tensor"),
            _ if to > data => format!("its bytes {from}..{to} lie beyond the {data} bytes of data that the file holds"),
            None => format!("the header says {words}, which is more than memory can address"),
            Some(bits) if bits % 8 != 0 => format!("the header says {words}, which ends within a byte"),
            Some(bits) if bits / 8 != to - from => {
                format!("the header says {words} = {} bytes, its bytes {from}..{to} are {}", bits / 8, to - from)
            }
            Some(_) => {
                end = to;
                before = name;
                continue;
            }
        };
        return Err(tensor_error(path, name, problem));
    }
    if end != data {
        let problem = format!("the header says the data is {end} bytes, the file holds {data}");
        return Err(file_error(path, problem));
    }
    Ok(())
}

/// The type of the format for elements, and the bytes of so many of them.
pub(super) fn sized(element: &Element, elements: usize) -> Option<(Dtype, usize)> {
    let name = serde_json::to_string(&element.to_string().to_uppercase()).ok()?;
    let dtype: Dtype = serde_json::from_str(&name).ok()?;
    let bits = elements.checked_mul(dtype.bitsize())?;
    (bits % 8 == 0).then_some((dtype, bits / 8))
}

fn element(dtype: Dtype) -> Element {
    Element::of_safetensors(&dtype.to_string())
}
