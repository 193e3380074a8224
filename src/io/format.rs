//! The kinds of files: one list of what is read and of what is only recognised, told by the bytes of a file.
//!
//! The name of a file counts where the bytes tell nothing.

use std::path::Path;

use super::contents::Contents;
use super::file_error;
use crate::Result;

/// The format of a file of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A single safetensors file.
    Safetensors,
    /// Shards of safetensors with the JSON index that names the shard of each tensor, or without an index.
    Index,
    /// A single array of numpy.
    Npy,
    /// A zip archive of numpy's arrays, or of those of one sparse matrix of scipy.
    Npz,
    /// A zip archive of `torch.save`, or shards of such archives.
    PyTorch,
    /// A Matrix Market file, compressed by gzip or not.
    MatrixMarket,
}

/// The formats, for messages.
pub(super) const READ: &str = "safetensors, PyTorch's zip archives (.pt, .bin), a sharded checkpoint's *.index.json, \
                               .npy, .npz and .mtx are read";

/// The number of bytes of a text in which the weight map is looked for: the length of the longest index that is read.
const SEARCHED: usize = 100_000_000;

/// A kind of files: a test of their first bytes, and what to do with such a file.
struct Kind {
    is: fn(&[u8]) -> bool,
    found: Found,
}

#[derive(Clone, Copy)]
enum Found {
    Read(Format),
    /// A zip archive, whose members tell more.
    Archive,
    /// A kind that is recognised but not read: its name, and what a person does about it.
    Not(&'static str, &'static str),
}

const fn read(is: fn(&[u8]) -> bool, format: Format) -> Kind {
    Kind { is, found: Found::Read(format) }
}

const fn not(is: fn(&[u8]) -> bool, name: &'static str, remedy: &'static str) -> Kind {
    Kind { is, found: Found::Not(name, remedy) }
}

const AGAIN: &str = "download it again, and look at the answer of the server";
const SAVE: &str = "load it with its own library, and save the weights as safetensors";
const UNPACK: &str = "unpack it, and name what it holds";

/// The kinds, the first that fits before the others.
const KINDS: &[Kind] = &[
    read(is_safetensors, Format::Safetensors),
    read(|bytes| bytes.starts_with(b"\x93NUMPY"), Format::Npy),
    Kind { is: |bytes| bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06"), found: Found::Archive },
    #[cfg(feature = "io-mtx")]
    read(super::matrix_market::is_one, Format::MatrixMarket),
    read(is_index, Format::Index),
    not(<[u8]>::is_empty, "empty", "copy or download it again"),
    not(is_zeros, "zeros from its first byte on", "the download did not end: start it again"),
    not(
        |bytes| bytes.starts_with(b"version https://git-lfs.github.com/spec"),
        "a pointer of git-lfs in place of the file",
        "run `git lfs pull` in its repository",
    ),
    not(|bytes| is_markup(bytes, b"<!doctype html") || is_markup(bytes, b"<html"), "an HTML page", AGAIN),
    not(|bytes| is_markup(bytes, b"<?xml"), "an XML text", AGAIN),
    not(|bytes| bytes.starts_with(b"\x00\x05\x16\x07"), "a sidecar of macOS", "name the file without `._`"),
    not(|bytes| bytes.starts_with(b"GGUF"), "a GGUF file of llama.cpp", "name the safetensors that it was made from"),
    not(|bytes| bytes.starts_with(b"\x89HDF\r\n\x1a\n"), "an HDF5 file, as Keras writes", SAVE),
    not(|bytes| bytes.get(4..8) == Some(b"TFL3"), "a TensorFlow Lite model", SAVE),
    not(is_onnx, "an ONNX model", SAVE),
    not(|bytes| bytes.starts_with(b"MATLAB 5.0 MAT-file"), "a MAT-file of MATLAB", "save the matrix as .npy"),
    not(
        |bytes| bytes.starts_with(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."),
        "a legacy checkpoint of torch.save, before PyTorch 1.6",
        "load it with torch.load, and save it again with torch.save, which writes a zip archive",
    ),
    not(
        |bytes| matches!(bytes, [0x80, 0..=5, ..]),
        "a raw pickle",
        "load it in Python if you trust it, and save the tensors with torch.save or as safetensors",
    ),
    not(|bytes| bytes.get(257..262) == Some(b"ustar"), "a tar archive", UNPACK),
    not(|bytes| bytes.starts_with(b"\x1f\x8b"), "compressed by gzip, and no Matrix Market file (.mtx.gz)", UNPACK),
    not(|bytes| bytes.starts_with(b"\x28\xb5\x2f\xfd"), "compressed by zstd", UNPACK),
    not(|bytes| bytes.starts_with(b"\xfd7zXZ\0"), "compressed by xz", UNPACK),
    not(|bytes| bytes.starts_with(b"BZh"), "compressed by bzip2", UNPACK),
    not(
        |bytes| bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff"),
        "a text of UTF-16",
        "save it as UTF-8 if it is an index",
    ),
];

/// Bytes that are a JSON text without a weight map; the name of an index still gets the parser's message.
const JSON: Found = Found::Not("JSON without a `weight_map`, and so no index", "name the weights, or their index");

/// The bytes without a byte order mark of UTF-8, which some editors put before a text.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

impl Format {
    /// The format by the bytes, then by the name.
    pub(super) fn of(path: &Path, contents: &Contents) -> Result<Self> {
        let bytes = contents.as_ref();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let kind = KINDS.iter().find(|kind| (kind.is)(bytes)).map(|kind| kind.found);
        let kind = kind.or_else(|| (is_json(bytes) && !name.ends_with(".index.json")).then_some(JSON));
        match kind {
            Some(Found::Read(format)) => return Ok(format),
            Some(Found::Archive) => return Ok(if is_pickled(path, contents) { Self::PyTorch } else { Self::Npz }),
            Some(Found::Not(kind, remedy)) => return Err(file_error(path, format!("is {kind}: {remedy}; {READ}"))),
            None => {}
        }
        // For broken contents, the parser of the name's format has the better message.
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("safetensors") => Ok(Self::Safetensors),
            Some("json") => Ok(Self::Index),
            Some("npy") => Ok(Self::Npy),
            Some("npz") => Ok(Self::Npz),
            Some("mtx") => Ok(Self::MatrixMarket),
            _ => Err(file_error(path, format!("is of no format that is known here; {READ}"))),
        }
    }
}

fn is_safetensors(bytes: &[u8]) -> bool {
    // The length of a safetensors header comes first and can begin with any byte, `{` and `PK` included. But the first
    // eight bytes of a JSON text, zip archive or npy file are never a length that fits the file, followed by `{`.
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    // A length below 2^32 is none of a text either: the file is then cut short within its header.
    without_mark(rest).starts_with(b"{") && (u64::from_le_bytes(*length) <= rest.len() as u64 || length[4..] == [0; 4])
}

fn is_index(bytes: &[u8]) -> bool {
    let key = b"\"weight_map\"";
    let start = &bytes[..bytes.len().min(SEARCHED)];
    is_json(start) && start.windows(key.len()).any(|window| window == key)
}

fn is_json(bytes: &[u8]) -> bool {
    matches!(without_mark(bytes).trim_ascii_start(), [b'{' | b'[', ..])
}

fn is_zeros(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes.iter().take(4096).all(|byte| *byte == 0)
}

fn is_markup(bytes: &[u8], start: &[u8]) -> bool {
    let text = without_mark(bytes).trim_ascii_start();
    text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}

/// The version of the format comes first in a model of ONNX, then the name of the program that wrote the model.
fn is_onnx(bytes: &[u8]) -> bool {
    let [0x08, 1..=99, 0x12, length @ 1..=127, rest @ ..] = bytes else { return false };
    rest.get(..usize::from(*length)).is_some_and(|name| name.iter().all(u8::is_ascii_graphic))
}

/// Whether an archive holds `data.pkl`, as `torch.save` names the pickle. An archive that is cut short has no list of
/// its members, but its first one is there.
#[cfg(feature = "io-pytorch")]
fn is_pickled(path: &Path, contents: &Contents) -> bool {
    let bytes = contents.as_ref();
    let length = bytes.get(26..28).map_or(0, |length| usize::from(length[0]) | usize::from(length[1]) << 8);
    let first = bytes.get(30..30 + length).unwrap_or_default();
    let is_pickle = |name: &[u8]| name == b"data.pkl" || name.ends_with(b"/data.pkl");
    if is_pickle(first) {
        return true;
    }
    let names = super::archive::open(path, contents.clone());
    names.is_ok_and(|archive| archive.file_names_raw().any(is_pickle))
}

#[cfg(not(feature = "io-pytorch"))]
fn is_pickled(_: &Path, _: &Contents) -> bool {
    false
}
