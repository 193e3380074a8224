//! The format of a file: by its bytes, or by its name where the bytes do not tell.

use std::path::Path;

use super::file_error;
use crate::Result;

/// The format of a file of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A single safetensors file.
    Safetensors,
    /// The JSON index of a sharded checkpoint, which names the shard of each tensor.
    Index,
    /// A single array of numpy.
    Npy,
    /// A zip archive of numpy's arrays, or of those of one sparse matrix of scipy.
    Npz,
    /// A Matrix Market file, compressed by gzip or not.
    MatrixMarket,
}

/// The formats, for messages.
pub(super) const READ: &str =
    "a safetensors file, a sharded checkpoint's *.index.json, a .npy, a .npz and a .mtx are read";

/// The number of bytes of a text in which the weight map is looked for: the length of the longest index that is read.
const SEARCHED: usize = 100_000_000;

impl Format {
    /// The format by the bytes, then by the name.
    pub(super) fn of(path: &Path, bytes: &[u8]) -> Result<Self> {
        if let Some(format) = Self::by_content(bytes) {
            return Ok(format);
        }
        if bytes.starts_with(b"\x1f\x8b") {
            let problem = "is compressed by gzip, and no Matrix Market file (.mtx.gz): unpack it with gunzip";
            return Err(file_error(path, problem));
        }
        // For broken or unknown contents, the parser of the name's format has the better message.
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("safetensors") => Ok(Self::Safetensors),
            Some("json") => Ok(Self::Index),
            Some("npy") => Ok(Self::Npy),
            Some("npz") => Ok(Self::Npz),
            Some("mtx") => Ok(Self::MatrixMarket),
            Some(extension @ ("pt" | "pth" | "ckpt" | "bin" | "pkl")) => Err(file_error(
                path,
                format!("a .{extension} file is usually a pickle, which is not read: save it as safetensors; {READ}"),
            )),
            _ if bytes.is_empty() => Err(file_error(path, format!("is empty; {READ}"))),
            _ => Err(file_error(path, format!("is of no format that is known here; {READ}"))),
        }
    }

    fn by_content(bytes: &[u8]) -> Option<Self> {
        // The length of a safetensors header comes first and can begin with any byte, `{` and `PK` included. But the
        // first eight bytes of a JSON text, zip archive or npy file are never a length that fits the file, followed by
        // `{`.
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
        #[cfg(feature = "io-mtx")]
        if super::matrix_market::is_one(bytes) {
            return Some(Self::MatrixMarket);
        }
        let key = b"\"weight_map\"";
        let start = &bytes[..bytes.len().min(SEARCHED)];
        if start.trim_ascii_start().starts_with(b"{") && start.windows(key.len()).any(|window| window == key) {
            return Some(Self::Index);
        }
        None
    }
}
