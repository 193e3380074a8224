//! A reader of Matrix Market files (`.mtx`, and compressed by gzip `.mtx.gz`).
//!
//! ```text
//! %%MatrixMarket matrix coordinate real general       object, layout, field and symmetry
//! % a comment
//! 3 4 2                                               rows, columns, entries; without entries for arrays
//! 1 4 0.5                                             row and column from 1 on, and the value
//! 3 1 -2
//! ```
//!
//! *Source*  Boisvert, Pozo and Remington, *The Matrix Market exchange formats: initial design*, NISTIR 5935, 1996.

mod entries;
mod header;
mod lines;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::entry::Entry;
use super::sparse_entry::{entry, expect_sides};
use super::{file_error, tensor_error};
use crate::Result;
use crate::tensor::SparseEntries;
use header::BANNER;
pub(super) use header::Header;
use lines::Lines;

/// The first bytes of data compressed by gzip.
const GZIP: &[u8] = b"\x1f\x8b";

/// Whether a file is of this format, compressed or not.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let mut start = Vec::new();
    // What cannot be unpacked is of no format.
    let _ = text(bytes).take(BANNER.len() as u64).read_to_end(&mut start);
    start.eq_ignore_ascii_case(BANNER)
}

/// The text of a file.
fn text(bytes: &[u8]) -> Box<dyn BufRead + '_> {
    match bytes.starts_with(GZIP) {
        true => Box::new(BufReader::new(MultiGzDecoder::new(bytes))),
        false => Box::new(bytes),
    }
}

/// Reads the header alone.
pub(super) fn open(path: &Path, bytes: &[u8]) -> Result<(Header, Entry)> {
    let header = Header::read(&mut Lines::new(text(bytes))).map_err(|problem| file_error(path, problem))?;
    expect_sides(header.rows, header.cols).map_err(|problem| file_error(path, problem))?;
    let entry = entry(path, (header.rows, header.cols), header.element(), header.count);
    Ok((header, entry))
}

impl Header {
    /// Reads all entries.
    pub fn read_entries(&self, bytes: &[u8], entry: &Entry) -> Result<SparseEntries> {
        let mut lines = Lines::new(text(bytes));
        let broken = |problem| tensor_error(&entry.file, &entry.name, problem);
        let header = Header::read(&mut lines).map_err(broken)?;
        let (placed, rounding) = entries::read(&header, &mut lines).map_err(broken)?;
        Ok(SparseEntries::of_placed(self.rows, self.cols, placed)?.rounded_by(rounding))
    }
}
