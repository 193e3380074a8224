//! A reader of sparse matrices as `scipy.sparse.save_npz` writes them: a `.npz` with the arrays of one matrix.
//!
//! | `format` | arrays beside `data` and `shape` |
//! |---|---|
//! | `csr`, `csc` | `indptr`, `indices`: the columns (csc: rows) of each row (csc: column), in any order |
//! | `bsr` | `indptr`, `indices`, with a dense block for each index |
//! | `coo` | `row` and `col`, or `coords` |
//! | `dia` | `offsets`: the diagonals, each as long as there are columns |

mod arrays;
mod layouts;

use std::path::Path;

use super::archive::Archive;
use super::contents::Contents;
use super::entry::Entry;
use super::sparse_entry::{entry, expect_sides};
use super::{Element, file_error, tensor_error};
use crate::Result;
use crate::tensor::SparseEntries;
use arrays::Arrays;

/// The arrays of one sparse matrix.
#[derive(Debug)]
pub(super) struct Scipy {
    layout: Layout,
    rows: usize,
    cols: usize,
    members: Vec<Entry>,
}

/// The layout of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Csr,
    Csc,
    Bsr,
    Coo,
    Dia,
}

impl Layout {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "csr" => Self::Csr,
            "csc" => Self::Csc,
            "bsr" => Self::Bsr,
            "coo" => Self::Coo,
            "dia" => Self::Dia,
            _ => return None,
        })
    }
}

/// The matrix and its entry where the members of an archive are those of a sparse matrix, else the members.
pub(super) fn open(
    path: &Path,
    archive: &Archive,
    contents: &Contents,
    members: Vec<Entry>,
) -> Result<std::result::Result<(Scipy, Entry), Vec<Entry>>> {
    let has = |name: &str| members.iter().any(|member| member.name == name);
    if !has("data") {
        return Ok(Err(members));
    }
    let arrays = Arrays { archive, contents, members: &members };
    let name = if has("format") { arrays.text("format")? } else { None };
    let layout = match name.as_deref() {
        Some(name) if has("shape") => Layout::of(name).ok_or_else(|| {
            file_error(path, format!("a sparse matrix of format `{name}`; csr, csc, coo, bsr and dia are read"))
        })?,
        // Coordinates without a format are those of the package `sparse`.
        None if has("coords") && has("shape") => Layout::Coo,
        _ if has("indices") && has("indptr") => {
            let problem = "holds the data, indices and indptr of a sparse matrix without its `format` and `shape`: \
                           write it by scipy.sparse.save_npz";
            return Err(file_error(path, problem));
        }
        _ => return Ok(Err(members)),
    };
    let (rows, cols) = match *arrays.lengths("shape")?.as_slice() {
        [rows, cols] => (rows, cols),
        // One axis: a column, as a vector is elsewhere; compressed rows have one row.
        [length] if layout == Layout::Csr => (1, length),
        [length] => (length, 1),
        ref shape => return Err(file_error(path, format!("a sparse array of {} axes; two are read", shape.len()))),
    };
    expect_sides(rows, cols).map_err(|problem| file_error(path, problem))?;
    arrays.expect_zero_fill()?;
    let data = arrays.member("data")?;
    let whole = entry(path, (rows, cols), data.element.clone(), data.elements());
    Ok(Ok((Scipy { layout, rows, cols, members }, whole)))
}

impl Scipy {
    /// Reads and checks all arrays.
    pub fn read(&self, archive: &Archive, contents: &Contents, entry: &Entry) -> Result<SparseEntries> {
        let broken = |problem: String| tensor_error(&entry.file, &entry.name, problem);
        let arrays = Arrays { archive, contents, members: &self.members };
        let (values, rounding) = arrays.values()?;
        let sides = (self.rows, self.cols);
        let placed = match self.layout {
            Layout::Csr | Layout::Csc => {
                let is_csr = self.layout == Layout::Csr;
                let (major, minor) = if is_csr { sides } else { (self.cols, self.rows) };
                let (starts, indices) = (arrays.starts("indptr")?, arrays.indices("indices", minor)?);
                layouts::compressed((major, is_csr), &starts, &indices, &values)
            }
            Layout::Bsr => {
                let block = layouts::block(&arrays.member("data")?.shape, sides).map_err(broken)?;
                let (starts, indices) = (arrays.starts("indptr")?, arrays.indices("indices", self.cols / block.1)?);
                layouts::blocks(self.rows, block, (&starts, &indices), &values)
            }
            Layout::Coo => {
                let [rows, cols] = arrays.coordinates(sides)?;
                layouts::coordinates(&rows, &cols, &values)
            }
            Layout::Dia => layouts::diagonals(sides, &arrays.offsets()?, &arrays.member("data")?.shape, &values),
        };
        let entries = SparseEntries::of_placed(self.rows, self.cols, placed.map_err(broken)?)?.rounded_by(rounding);
        Ok(if entry.element == Element::Bool { entries.into_booleans() } else { entries })
    }
}
