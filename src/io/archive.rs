//! Zip archives whose members are arrays: each member is checked, and one that is broken costs no other.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use zip::read::{ArchiveOffset, Config, ZipFile};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::contents::Contents;
use super::joined::Joined;
use super::problem::Problem;
use super::{file_error, file_fault, recovered};
use crate::Result;

/// The largest expansion of a deflate stream: the densest code takes two bits for 258 bytes, plus a few bytes at the
/// ends.
const DEFLATE_EXPANDS_AT_MOST: u64 = 1032;

/// The number of bytes to allocate before the first byte has arrived; the buffer grows with the bytes.
const FIRST_ALLOCATION: usize = 1 << 16;

/// The bytes of a local header without its name.
const LOCAL_HEADER: u64 = 30;

/// The words for an archive without its last part.
pub(super) const CUT: &str = "the zip archive is cut short, copy or download it again";

/// An open archive. A clone shares the directory and the bytes, and has its own position.
pub(super) type Archive = ZipArchive<Joined>;

/// Reads the list of the members of an archive that starts with the file. Where the archive is cut short, the list is
/// made of the members that are there.
pub(super) fn open(path: &Path, contents: Contents) -> Result<Archive> {
    let broken =
        |error: ZipError| file_fault(path, "is not a zip archive that can be read, copy or download it again", error);
    // The archive starts with the file, because its first bytes told the format; no other start is searched.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let whole = ZipArchive::with_config(config, Joined::new(contents.clone(), Vec::new()));
    let archive = whole.or_else(|error| {
        let Some(list) = recovered::list(contents.as_ref()) else { return Err(broken(error)) };
        ZipArchive::with_config(config, Joined::new(contents, list)).map_err(broken)
    })?;
    if archive.has_duplicate_names() {
        return Err(file_error(path, "the zip archive lists a name twice"));
    }
    let mut ranges = Vec::with_capacity(archive.len());
    for number in 0..archive.len() {
        let member = archive.by_index_data(number).map_err(broken)?;
        let start = member.header_start();
        ranges.push((start, start.saturating_add(LOCAL_HEADER).saturating_add(member.compressed_size())));
    }
    ranges.sort_unstable();
    // An overlap is refused because a run of compressed bytes under many names would multiply the bytes to read.
    if ranges.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(file_error(path, "members of the zip archive overlap"));
    }
    Ok(archive)
}

/// Whether an archive has lost its end.
pub(super) fn is_cut(archive: &Archive) -> bool {
    archive.clone().into_inner().has_tail()
}

/// The names of the members, without those of folders, each with its number.
pub(super) fn names(path: &Path, archive: &Archive) -> Result<Vec<(usize, String)>> {
    let broken = |error: ZipError| file_fault(path, "is not a zip archive that can be read", error);
    let mut names = Vec::with_capacity(archive.len());
    for number in 0..archive.len() {
        let member = archive.by_index_data(number).map_err(broken)?;
        if !member.is_dir() {
            names.push((number, member.name().map_err(broken)?.into_owned()));
        }
    }
    Ok(names)
}

/// A member, whose sizes are plausible.
pub(super) struct Member<'a> {
    pub file: ZipFile<'a, Joined>,
    /// The bytes of the member once unpacked, as the directory says.
    pub size: u64,
    pub deflated: bool,
}

/// Opens a member.
pub(super) fn member(archive: &mut Archive, number: usize) -> std::result::Result<Member<'_>, Problem> {
    let length = archive.clone().into_inner().length();
    let file = archive.by_index(number).map_err(|error| Problem::caused_by("cannot be opened", error))?;
    let end = file.data_start().and_then(|start| start.checked_add(file.compressed_size()));
    if end.is_none_or(|end| end > length) {
        return Err(format!("reaches beyond the {length} bytes of the file: {CUT}").into());
    }
    let (compressed, size) = (file.compressed_size(), file.size());
    let plausible = match file.compression() {
        CompressionMethod::Stored => size == compressed,
        CompressionMethod::Deflated => size <= compressed.saturating_mul(DEFLATE_EXPANDS_AT_MOST),
        method => {
            return Err(format!("is compressed by {method:?}; stored and deflated members are read").into());
        }
    };
    if !plausible {
        return Err(format!("the directory says {size} bytes from {compressed}, which cannot be").into());
    }
    let deflated = file.compression() != CompressionMethod::Stored;
    Ok(Member { file, size, deflated })
}

/// The place in the file of a member that is stored, and is read once here to prove its checksum.
pub(super) fn stored(archive: &Archive, number: usize) -> std::result::Result<Range<usize>, Problem> {
    let mut archive = archive.clone();
    let Member { mut file, size, .. } = member(&mut archive, number)?;
    let failed = |error: std::io::Error| Problem::caused_by("its bytes cannot be read", error);
    std::io::copy(&mut file, &mut std::io::sink()).map_err(failed)?;
    let start = file.data_start().and_then(|start| usize::try_from(start).ok());
    let range = start.and_then(|start| Some(start..start.checked_add(usize::try_from(size).ok()?)?));
    range.ok_or_else(|| format!("{size} bytes of data reach beyond the file").into())
}

/// The bytes of a member after its first `header` bytes: a slice of the file for a stored member, decompressed for a
/// deflated member.
///
/// In both cases the whole member is read once, so that its checksum is proven.
pub(super) fn data<'a>(
    archive: &Archive,
    contents: &'a Contents,
    number: usize,
    (header, expected): (usize, usize),
) -> std::result::Result<Cow<'a, [u8]>, Problem> {
    let mut reader = archive.clone();
    let Member { mut file, deflated, .. } = member(&mut reader, number)?;
    let failed = |error: std::io::Error| Problem::caused_by("its bytes cannot be read", error);
    if !deflated {
        let start = stored(archive, number)?.start.checked_add(header);
        let range = start.and_then(|start| Some(start..start.checked_add(expected)?));
        let data = range.and_then(|range| contents.as_ref().get(range));
        return data.map(Cow::Borrowed).ok_or_else(|| format!("{expected} bytes of data reach beyond the file").into());
    }
    std::io::copy(&mut (&mut file).take(header as u64), &mut std::io::sink()).map_err(failed)?;
    let mut data = Vec::with_capacity(expected.min(FIRST_ALLOCATION));
    // A byte more than the data, because only the end of the stream checks the checksum.
    let arrived = file.take(expected as u64 + 1).read_to_end(&mut data).map_err(failed)?;
    if arrived != expected {
        return Err(format!("{expected} bytes of data were expected, its stream holds {arrived}").into());
    }
    Ok(Cow::Owned(data))
}
