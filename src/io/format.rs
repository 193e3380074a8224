//! The format of a file: by its bytes, and by its name only where the bytes do not tell.

use std::path::Path;

use super::file_error;
use crate::Result;

/// Format of a file of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One safetensors file.
    Safetensors,
    /// The JSON index of a sharded checkpoint, which says which shard holds which tensor.
    Index,
    /// One array of numpy.
    Npy,
    /// A zip archive of numpy's arrays.
    Npz,
}

/// The formats, for messages.
pub(super) const READ: &str = "a safetensors file, a sharded checkpoint's *.index.json, a .npy and a .npz are read";

/// Bytes of a text in which its weight map is looked for: the length of the longest index that is read.
const SEARCHED: usize = 100_000_000;

impl Format {
    /// The format by the bytes, then by the name.
    pub(super) fn of(path: &Path, bytes: &[u8]) -> Result<Self> {
        if let Some(format) = Self::by_content(bytes) {
            return Ok(format);
        }
        // the content is broken or unknown; the parser that the name asks for has the better message
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("safetensors") => Ok(Self::Safetensors),
            Some("json") => Ok(Self::Index),
            Some("npy") => Ok(Self::Npy),
            Some("npz") => Ok(Self::Npz),
            Some(extension @ ("pt" | "pth" | "ckpt" | "bin" | "pkl")) => Err(file_error(
                path,
                format!("a .{extension} file is usually a pickle, which is not read: save it as safetensors; {READ}"),
            )),
            _ if bytes.is_empty() => Err(file_error(path, format!("is empty; {READ}"))),
            _ => Err(file_error(path, format!("is of no format that is known here; {READ}"))),
        }
    }

    fn by_content(bytes: &[u8]) -> Option<Self> {
        // The length of a safetensors header comes first and can begin with any byte, `{` and `PK` included, but no
        // JSON text, zip archive or npy file has seven bytes there that make a length the file could hold, and a `{`.
        if let Some((length, [b'{', ..])) = bytes.split_first_chunk::<8>()
            && u64::from_le_bytes(*length) <= bytes.len() as u64 - 8
        {
            return Some(Self::Safetensors);
        }
        if bytes.starts_with(b"\x93NUMPY") {
            return Some(Self::Npy);
        }
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            return Some(Self::Npz);
        }
        let key = b"\"weight_map\"";
        let start = &bytes[..bytes.len().min(SEARCHED)];
        if start.trim_ascii_start().starts_with(b"{") && start.windows(key.len()).any(|window| window == key) {
            return Some(Self::Index);
        }
        None
    }
}
