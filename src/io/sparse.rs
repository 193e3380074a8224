//! Sparse matrices in files: one matrix, the only entry of its file.

#[cfg(any(feature = "io-npy", feature = "io-mtx"))]
use std::path::Path;

#[cfg(feature = "io-npy")]
use super::archive::Archive;
use super::contents::Contents;
use super::entry::Entry;
#[cfg(any(feature = "io-npy", feature = "io-mtx"))]
use super::entry::{Layout, Place};
use super::{Element, tensor_error};
use crate::Result;
use crate::tensor::SparseEntries;

/// A file that holds a sparse matrix.
#[derive(Debug)]
pub(super) enum SparseFile {
    /// An archive of `scipy.sparse.save_npz`.
    #[cfg(feature = "io-npy")]
    Scipy(super::scipy::Scipy, Archive),
    /// A Matrix Market file.
    #[cfg(feature = "io-mtx")]
    MatrixMarket(super::matrix_market::Header),
}

impl SparseFile {
    /// Reads the entries of the matrix.
    #[cfg_attr(not(any(feature = "io-npy", feature = "io-mtx")), allow(unused_variables, reason = "no such files"))]
    pub fn read(&self, contents: &Contents, entry: &Entry) -> Result<SparseEntries> {
        if entry.element.is_complex() {
            return Err(tensor_error(&entry.file, &entry.name, complex(&entry.element)));
        }
        match *self {
            #[cfg(feature = "io-npy")]
            Self::Scipy(ref scipy, ref archive) => scipy.read(archive, contents, entry),
            #[cfg(feature = "io-mtx")]
            Self::MatrixMarket(ref header) => header.read_entries(contents.as_ref(), entry),
        }
    }
}

/// The entry of a file with one sparse matrix, named after the file.
#[cfg(any(feature = "io-npy", feature = "io-mtx"))]
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
#[cfg(any(feature = "io-npy", feature = "io-mtx"))]
pub(super) fn expect_sides(rows: usize, cols: usize) -> std::result::Result<(), String> {
    match u32::try_from(rows.max(cols)) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("a sparse matrix of {rows} x {cols}: sides up to {} are read", u32::MAX)),
    }
}

fn complex(element: &Element) -> String {
    format!(
        "its values are complex numbers ({element}), which are not read from sparse files: save the real matrix \
         [[Re, -Im], [Im, Re]], whose norm is the same"
    )
}

/// An integer as the nearest `f64`, and the magnitude that rounding took from it.
#[cfg(any(feature = "io-npy", feature = "io-mtx"))]
pub(super) fn widened(integer: i128) -> (f64, f64) {
    let value = integer as f64;
    // Integers of 64 bits and their nearest f64 are within the range of i128.
    (value, (integer - value as i128).unsigned_abs() as f64)
}
