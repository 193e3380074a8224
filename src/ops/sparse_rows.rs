//! The nonzeros of the rows of a sparse matrix in device memory, cut into parts of balanced work.

use std::ops::Range;

use super::check::word;
use crate::device::{Buffer, Device};
use crate::{Error, Result};

/// The nonzeros of a segment, as in `shaders/sparse/sparse_product.wgsl`.
pub(super) const SEGMENT: usize = 256;

/// The rows of a sparse matrix on the device: values and columns, row after row, with the parts that rows are cut into.
///
/// ```text
/// nonzeros  |-------- 256 --------|-------- 256 --------|-- the rest --|   segments: equal work, whatever the rows
/// rows      |- 0 -|------------------ 1 ------------------|2|--- 3 ----|
/// parts     |- 0 -|------ 1 ------|-------- 2 --------|-3-|4|--- 5 ----|   end where a row or a segment ends
/// ```
///
/// Nonzeros past the device's limit of a binding are in several panels of whole segments.
#[derive(Clone, Debug)]
pub struct SparseRows {
    rows: usize,
    cols: usize,
    nonzeros: usize,
    parts: usize,
    longest: usize,
    firsts: Buffer<u32>,
    panels: Vec<SparsePanel>,
}

/// Whole segments of nonzeros that a binding holds.
#[derive(Clone, Debug)]
pub(super) struct SparsePanel {
    pub(super) nonzeros: usize,
    pub(super) segments: usize,
    pub(super) first_part: usize,
    pub(super) values: Buffer<f32>,
    pub(super) columns: Buffer<u32>,
    /// The first part of each segment, and their number.
    pub(super) firsts: Buffer<u32>,
    /// The end of each part.
    pub(super) ends: Buffer<u32>,
}

impl SparseRows {
    /// Uploads the nonzeros of the rows, of which row i has those from `starts[i]` up to `starts[i + 1]`.
    ///
    /// *Shapes*  `starts`: rows + 1, from 0 on and never less than before · `columns`, `values`: the last of `starts`
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for starts, columns or values that contradict each other, [`Error::OutOfRange`] for a
    /// column past `cols`; [`Error::TooLarge`] or [`Error::OutOfMemory`] past the device's limits.
    pub fn upload(device: &Device, cols: usize, starts: &[usize], columns: &[u32], values: &[f32]) -> Result<Self> {
        let operation = "sparse matrix";
        expect_rows(operation, cols, starts, columns, values)?;
        let rows = starts.len() - 1;
        word(operation, "the columns", cols)?;
        let limit = device.capabilities().binding_elements().min(1 << 31);
        if starts.len() > limit {
            return Err(Error::TooLarge {
                operation,
                what: format!("the starts of {rows} rows, in bytes,"),
                needed: 4 * starts.len() as u64,
                limit: 4 * limit as u64,
                advice: "cut the matrix into several with fewer rows and columns",
            });
        }
        let cuts = Cuts::of(operation, starts, (limit / SEGMENT * SEGMENT).max(SEGMENT))?;
        word(operation, "the parts of rows", cuts.parts)?;
        let panel = |cut: &Cut| {
            Ok(SparsePanel {
                nonzeros: cut.nonzeros.len(),
                segments: cut.firsts.len() - 1,
                first_part: cut.first_part,
                values: Buffer::from_slice(device, operation, &values[cut.nonzeros.clone()])?,
                columns: Buffer::from_slice(device, operation, &columns[cut.nonzeros.clone()])?,
                firsts: Buffer::from_slice(device, operation, &cut.firsts)?,
                ends: Buffer::from_slice(device, operation, &cut.ends)?,
            })
        };
        Ok(Self {
            rows,
            cols,
            nonzeros: values.len(),
            parts: cuts.parts,
            longest: cuts.rows.windows(2).map(|firsts| (firsts[1] - firsts[0]) as usize).max().unwrap_or(0),
            firsts: Buffer::from_slice(device, operation, &cuts.rows)?,
            panels: cuts.panels.iter().map(panel).collect::<Result<_>>()?,
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The number of nonzeros.
    pub fn nonzeros(&self) -> usize {
        self.nonzeros
    }

    /// The number of parts that all rows are cut into.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// The largest number of parts of one row.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The first part of each row, and the number of parts.
    pub fn firsts(&self) -> &Buffer<u32> {
        &self.firsts
    }

    pub(super) fn panels(&self) -> &[SparsePanel] {
        &self.panels
    }
}

/// Refuses nonzeros that are no rows of a matrix.
fn expect_rows(operation: &'static str, cols: usize, starts: &[usize], columns: &[u32], values: &[f32]) -> Result<()> {
    let is_ordered = starts.first() == Some(&0) && starts.is_sorted();
    let held = starts.last().copied().unwrap_or_default();
    if !is_ordered || columns.len() != held || values.len() != held {
        return Err(Error::ShapeMismatch {
            operation,
            expected: format!("starts of rows from 0 on in order, and {held} columns and values"),
            found: format!("{} starts, {} columns and {} values", starts.len(), columns.len(), values.len()),
        });
    }
    match columns.iter().find(|column| **column as usize >= cols) {
        Some(column) => {
            let column = *column as usize;
            Err(Error::OutOfRange { operation, what: "columns", found: column..column + 1, length: cols })
        }
        None => Ok(()),
    }
}

/// The cuts of rows into parts, and of parts into panels.
struct Cuts {
    /// The first part of each row, and the number of parts.
    rows: Vec<u32>,
    parts: usize,
    panels: Vec<Cut>,
}

/// A panel: its nonzeros, and where its segments and parts begin and end.
struct Cut {
    nonzeros: Range<usize>,
    first_part: usize,
    firsts: Vec<u32>,
    ends: Vec<u32>,
}

impl Cuts {
    /// The cuts of rows for panels of at most `most` nonzeros, whole segments.
    fn of(operation: &'static str, starts: &[usize], most: usize) -> Result<Self> {
        let mut cuts = Self { rows: Vec::new(), parts: 0, panels: Vec::new() };
        let bytes = 4 * starts.len() as u64;
        let out = |_| Error::OutOfMemory { operation: operation.to_string(), bytes };
        cuts.rows.try_reserve_exact(starts.len()).map_err(out)?;
        for row in starts.windows(2) {
            cuts.rows.push(cuts.parts as u32);
            let mut place = row[0];
            while place < row[1] {
                place = cuts.part(place, row[1], most);
            }
        }
        cuts.rows.push(cuts.parts as u32);
        cuts.panels.iter_mut().for_each(|panel| panel.firsts.push(panel.ends.len() as u32));
        Ok(cuts)
    }

    /// Cuts one part from `start` on, of a row that ends at `end`; the end of the part.
    fn part(&mut self, start: usize, end: usize, most: usize) -> usize {
        // A part starts each panel and each segment, because parts end where segments do.
        if start.is_multiple_of(most) {
            let (firsts, ends) = (Vec::new(), Vec::new());
            self.panels.push(Cut { nonzeros: start..start, first_part: self.parts, firsts, ends });
        }
        let end = end.min((start / SEGMENT + 1) * SEGMENT);
        if let Some(panel) = self.panels.last_mut() {
            if start.is_multiple_of(SEGMENT) {
                panel.firsts.push(panel.ends.len() as u32);
            }
            panel.nonzeros.end = end;
            panel.ends.push((end - panel.nonzeros.start) as u32);
        }
        self.parts += 1;
        end
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    #[test]
    fn parts_tile_the_nonzeros_and_end_with_rows_and_segments() {
        let starts = [0, 0, 3, 3, 600, 601, 1024, 1024, 1030];
        for most in [SEGMENT, 2 * SEGMENT, 1 << 20] {
            let cuts = Cuts::of("test", &starts, most).unwrap();
            assert_eq!(cuts.rows, [0, 0, 1, 1, 4, 5, 7, 7, 8]);
            assert_eq!(cuts.panels.len(), 1030usize.div_ceil(most));
            let (mut parts, mut place) = (0, 0);
            for panel in &cuts.panels {
                assert_eq!((panel.first_part, panel.nonzeros.start), (parts, place));
                assert_eq!(panel.firsts.len() - 1, panel.nonzeros.len().div_ceil(SEGMENT));
                for (segment, first) in panel.firsts[..panel.firsts.len() - 1].iter().enumerate() {
                    let before = if *first == 0 { 0 } else { panel.ends[*first as usize - 1] };
                    assert_eq!(before as usize, segment * SEGMENT, "a part starts each segment");
                }
                (parts, place) = (parts + panel.ends.len(), panel.nonzeros.end);
            }
            assert_eq!((parts, place), (cuts.parts, 1030));
        }
    }
}
