//! The entry of a file with one sparse matrix, and the limits of its numbers.

use std::path::Path;

use super::Element;
use super::entry::{Entry, Layout, Place};

/// The entry of a file with one sparse matrix, named after the file.
pub(super) fn entry(path: &Path, (rows, cols): (usize, usize), element: Element, stored: usize) -> Entry {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Entry {
        file: path.to_path_buf(),
        name: name.strip_suffix(".mtx").unwrap_or(&name).to_owned(),
        shape: vec![rows, cols],
        element,
        layout: Layout::default(),
        place: Place::Sparse { stored },
        note: None,
        index: 0,
    }
}

/// The sides that are read: the integers of shaders count no longer side.
pub(super) fn expect_sides(rows: usize, cols: usize) -> Result<(), String> {
    match u32::try_from(rows.max(cols)) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("a sparse matrix of {rows} x {cols}: sides up to {} are read", u32::MAX)),
    }
}

/// An integer as the nearest `f64`, and the magnitude that rounding took from it.
pub(super) fn widened(integer: i128) -> (f64, f64) {
    let value = integer as f64;
    // Integers of 64 bits and their nearest f64 are within the range of i128.
    (value, (integer - value as i128).unsigned_abs() as f64)
}
