//! A reader of `.npz` files: a zip archive with an npy file for each array.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{Cursor, Read};
use std::path::Path;

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::contents::Contents;
use super::entry::{Entry, Layout, Place};
use super::npy_header::{Header, MAGIC};
use super::{Element, file_error, file_fault, tensor_error, tensor_fault};
use crate::Result;

/// The largest expansion of a deflate stream: the densest code takes two bits for 258 bytes, plus a few bytes at the
/// ends.
const DEFLATE_EXPANDS_AT_MOST: u64 = 1032;

/// The number of bytes to allocate before the first byte has arrived; the buffer grows with the bytes.
const FIRST_ALLOCATION: usize = 1 << 16;

/// An open archive. A clone shares the directory and the bytes, and has its own position.
pub(super) type Archive = ZipArchive<Cursor<Contents>>;

/// Reads the directory and the header of each array, in the order of the archive.
pub(super) fn open(path: &Path, contents: Contents) -> Result<(Archive, Vec<Entry>)> {
    let broken = |error: zip::result::ZipError| file_fault(path, "is not a zip archive that can be read", error);
    // The archive starts with the file, because its first bytes told the format; no other start is searched.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(config, Cursor::new(contents)).map_err(broken)?;
    if archive.has_duplicate_names() {
        return Err(file_error(path, "the zip archive lists a name twice"));
    }
    // An overlap is refused because a run of compressed bytes under many names would multiply the bytes to read.
    if archive.has_overlapping_entries().map_err(broken)? {
        return Err(file_error(path, "members of the zip archive overlap"));
    }
    let mut entries = Vec::new();
    let mut pickled = false;
    for number in 0..archive.len() {
        let member = archive.by_index_data(number).map_err(broken)?;
        if member.is_dir() {
            continue;
        }
        let full_name = member.name().map_err(broken)?.into_owned();
        pickled |= full_name.ends_with("data.pkl");
        entries.push(entry(path, &mut archive, number, &full_name, entries.len())?);
    }
    // A length of 0 marks a member without an npy header, because such a header has at least its magic.
    if !entries.is_empty() && entries.iter().all(|entry| matches!(entry.place, Place::Member { header: 0, .. })) {
        let hint = if pickled { ": it looks like a PyTorch pickle; save it as safetensors" } else { "" };
        return Err(file_error(path, format!("no member of the zip archive is a numpy array{hint}")));
    }
    let mut names = HashSet::new();
    if let Some(twice) = entries.iter().find(|entry| !names.insert(entry.name.as_str())) {
        return Err(tensor_error(path, &twice.name, "is there twice, once with and once without the ending .npy"));
    }
    Ok((archive, entries))
}

fn entry(path: &Path, archive: &mut Archive, number: usize, full_name: &str, index: usize) -> Result<Entry> {
    // The ending is removed, as in numpy.
    let name = full_name.strip_suffix(".npy").unwrap_or(full_name);
    let broken = |problem: String| tensor_error(path, name, problem);
    let mut member = archive.by_index(number).map_err(|error| tensor_fault(path, name, "cannot be opened", error))?;
    let (compressed, size) = (member.compressed_size(), member.size());
    let deflated = member.compression() != CompressionMethod::Stored;
    let plausible = match member.compression() {
        CompressionMethod::Stored => size == compressed,
        CompressionMethod::Deflated => size <= compressed.saturating_mul(DEFLATE_EXPANDS_AT_MOST),
        method => {
            return Err(broken(format!("is compressed by {method:?}; stored and deflated members are read")));
        }
    };
    if !plausible {
        return Err(broken(format!("the directory says {size} bytes from {compressed}, which cannot be")));
    }
    let file = path.to_path_buf();
    let mut start = Vec::new();
    (&mut member)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(|error| tensor_fault(path, name, "its first bytes cannot be read", error))?;
    if start != MAGIC {
        let shape = vec![usize::try_from(size).map_err(|_| broken(format!("{size} bytes cannot be addressed")))?];
        let (element, place) = (Element::Other("bytes".to_owned()), Place::Member { number, header: 0, deflated });
        return Ok(Entry { file, name: name.to_owned(), shape, element, layout: Layout::default(), place, index });
    }
    let header =
        Header::read(&mut start.as_slice().chain(&mut member)).map_err(|problem| tensor_error(path, name, problem))?;
    let Some(held) = size.checked_sub(header.length as u64) else {
        return Err(broken(format!("the directory says {size} bytes, its npy header alone has {}", header.length)));
    };
    header.check_size(held).map_err(broken)?;
    Ok(Entry {
        file,
        name: name.to_owned(),
        shape: header.shape,
        element: header.element,
        layout: header.layout,
        place: Place::Member { number, header: header.length, deflated },
        index,
    })
}

/// The data of a member: a slice of the file for a stored member, decompressed for a deflated member.
///
/// In both cases the whole member is read once, so that its checksum is proven.
pub(super) fn read<'a>(archive: &Archive, contents: &'a Contents, entry: &Entry) -> Result<Cow<'a, [u8]>> {
    read_bytes(archive, contents, entry, entry.bytes())
}

/// As [`read`], of data that has to be `expected` bytes long.
pub(super) fn read_bytes<'a>(
    archive: &Archive,
    contents: &'a Contents,
    entry: &Entry,
    expected: usize,
) -> Result<Cow<'a, [u8]>> {
    let Place::Member { number, header, deflated } = entry.place else {
        return Err(tensor_error(&entry.file, &entry.name, "is not a member of the archive"));
    };
    let broken = |problem: String| tensor_error(&entry.file, &entry.name, problem);
    let mut archive = archive.clone();
    let mut member =
        archive.by_index(number).map_err(|error| tensor_fault(&entry.file, &entry.name, "cannot be opened", error))?;
    let failed = |error: std::io::Error| tensor_fault(&entry.file, &entry.name, "its bytes cannot be read", error);

    if !deflated {
        std::io::copy(&mut member, &mut std::io::sink()).map_err(failed)?;
        let start = member.data_start().and_then(|start| usize::try_from(start).ok());
        let start = start.and_then(|start| start.checked_add(header));
        let range = start.and_then(|start| Some(start..start.checked_add(expected)?));
        let data = range.and_then(|range| contents.as_ref().get(range));
        return data
            .map(Cow::Borrowed)
            .ok_or_else(|| broken(format!("{expected} bytes of data reach beyond the file")));
    }
    std::io::copy(&mut (&mut member).take(header as u64), &mut std::io::sink()).map_err(failed)?;
    let mut data = Vec::with_capacity(expected.min(FIRST_ALLOCATION));
    // A byte more than the data, because only the end of the stream checks the checksum.
    let arrived = member.take(expected as u64 + 1).read_to_end(&mut data).map_err(failed)?;
    if arrived != expected {
        return Err(broken(format!("{expected} bytes of data were expected, its stream holds {arrived}")));
    }
    Ok(Cow::Owned(data))
}
