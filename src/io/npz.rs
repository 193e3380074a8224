//! A reader of `.npz` files: a zip archive with an npy file for each array.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use super::archive::{self, Archive, Member};
use super::contents::Contents;
use super::entry::{Entry, Lack, Layout, Place};
use super::npy_header::{Header, MAGIC};
use super::problem::Problem;
use super::{Element, file_error, tensor_error};
use crate::Result;

/// Reads the directory and the header of each array, in the order of the archive.
pub(super) fn open(path: &Path, contents: Contents) -> Result<(Archive, Vec<Entry>)> {
    let mut archive = archive::open(path, contents)?;
    let mut entries = Vec::new();
    for (number, full_name) in archive::names(path, &archive)? {
        // The ending is removed, as in numpy.
        let name = full_name.strip_suffix(".npy").unwrap_or(&full_name);
        // A member that is broken costs no other.
        let entry = entry(path, &mut archive, number, name);
        entries.push(entry.unwrap_or_else(|problem| Entry::absent(path, name, Lack::absent(problem.words))));
    }
    if archive::is_cut(&archive) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        entries.push(Entry::absent(
            path,
            name,
            Lack::absent(format!("{}: there may have been more members", archive::CUT)),
        ));
    }
    // A length of 0 marks a member without an npy header, because such a header has at least its magic.
    if !entries.is_empty() && entries.iter().all(|entry| matches!(entry.place, Place::Member { header: 0, .. })) {
        return Err(file_error(path, "no member of the zip archive is a numpy array"));
    }
    let mut names = HashSet::new();
    if let Some(twice) = entries.iter().find(|entry| !names.insert(entry.name.as_str())) {
        return Err(tensor_error(path, &twice.name, "is there twice, once with and once without the ending .npy"));
    }
    Ok((archive, entries))
}

fn entry(path: &Path, archive: &mut Archive, number: usize, name: &str) -> std::result::Result<Entry, Problem> {
    let Member { mut file, size, deflated } = archive::member(archive, number)?;
    let of = |shape, element, layout, header| Entry {
        file: path.to_path_buf(),
        name: name.to_owned(),
        shape,
        element,
        layout,
        place: Place::Member { number, header, deflated },
        note: None,
        index: 0,
    };
    let mut start = Vec::new();
    (&mut file)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(|error| Problem::caused_by("its first bytes cannot be read", error))?;
    if start != MAGIC {
        let shape = vec![usize::try_from(size).map_err(|_| format!("{size} bytes cannot be addressed"))?];
        return Ok(of(shape, Element::Other("bytes".to_owned()), Layout::default(), 0));
    }
    let header = Header::read(&mut start.as_slice().chain(&mut file))?;
    let Some(held) = size.checked_sub(header.length as u64) else {
        let problem = format!("the directory says {size} bytes, its npy header alone has {}", header.length);
        return Err(problem.into());
    };
    header.check_size(held)?;
    Ok(of(header.shape, header.element, header.layout, header.length))
}

/// The data of a member, whose checksum is proven.
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
    let Place::Member { number, header, .. } = entry.place else {
        return Err(tensor_error(&entry.file, &entry.name, "is not a member of the archive"));
    };
    let data = archive::data(archive, contents, number, (header, expected));
    data.map_err(|problem| tensor_error(&entry.file, &entry.name, problem))
}
