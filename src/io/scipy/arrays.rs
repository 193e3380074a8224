//! The arrays of a sparse matrix in an archive.

use super::super::archive::Archive;
use super::super::contents::Contents;
use super::super::entry::Entry;
use super::super::integer::Integer;
use super::super::npz;
use super::super::sparse_entry::widened;
use super::super::{Element, TensorView, tensor_error};
use crate::tensor::ElementSource;
use crate::{Error, Result};

/// The members of an archive, by name.
pub(super) struct Arrays<'a> {
    pub archive: &'a Archive,
    pub contents: &'a Contents,
    pub members: &'a [Entry],
}

/// Integers that are decoded at once.
const PIECE: usize = 1 << 12;

/// The longest name of a format that is read.
const LONGEST_TEXT: usize = 64;

impl Arrays<'_> {
    /// The member of a name.
    pub fn member(&self, name: &str) -> Result<&Entry> {
        let found = self.members.iter().find(|member| member.name == name);
        found.ok_or_else(|| match self.members.first() {
            Some(other) => tensor_error(&other.file, name, "this array of the sparse matrix is missing"),
            None => tensor_error(std::path::Path::new(""), name, "the archive is empty"),
        })
    }

    fn broken(&self, member: &Entry, problem: impl Into<String>) -> Error {
        tensor_error(&member.file, &member.name, problem.into())
    }

    /// The text of a member, in bytes (`S3`) or in 32-bit characters (`<U3`); `None` for a member of another type.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let member = self.member(name)?;
        let Element::Other(kind) = &member.element else { return Ok(None) };
        let (is_wide, length) = match kind.trim_start_matches(['<', '>', '=', '|']).split_at_checked(1) {
            Some(("S" | "a", length)) => (false, length),
            Some(("U", length)) => (true, length),
            _ => return Ok(None),
        };
        let Some(length) = length.parse().ok().filter(|length| *length <= LONGEST_TEXT && member.elements() == 1)
        else {
            return Ok(None);
        };
        let bytes = npz::read_bytes(self.archive, self.contents, member, if is_wide { 4 * length } else { length })?;
        // An ASCII character has one byte other than 0, in either order.
        let letters = bytes.iter().copied().filter(|byte| *byte != 0);
        Ok(Some(letters.map(char::from).collect()))
    }

    /// All integers of a member, through `each` with its position.
    fn each_integer(&self, name: &str, mut each: impl FnMut(&Entry, usize, i128) -> Result<()>) -> Result<()> {
        let member = self.member(name)?;
        if Integer::of(&member.element).is_none() {
            return Err(self.broken(member, format!("is of type {}, and has to be of integers", member.element)));
        }
        let view = TensorView::new(member, npz::read(self.archive, self.contents, member)?)?;
        let total = member.elements();
        let mut piece = vec![0; total.min(PIECE)];
        for first in (0..total).step_by(PIECE) {
            let piece = &mut piece[..PIECE.min(total - first)];
            view.copy_integers(first, piece)?;
            for (offset, integer) in piece.iter().enumerate() {
                each(member, first + offset, *integer)?;
            }
        }
        Ok(())
    }

    /// The lengths of axes, or the starts of rows: integers that are not negative.
    pub fn lengths(&self, name: &str) -> Result<Vec<usize>> {
        let mut lengths = Vec::new();
        self.each_integer(name, |member, place, integer| {
            let length = usize::try_from(integer);
            lengths.push(length.map_err(|_| self.broken(member, format!("has {integer} at position {place}")))?);
            Ok(())
        })?;
        Ok(lengths)
    }

    /// The starts of rows, from 0 on and never less than before.
    pub fn starts(&self, name: &str) -> Result<Vec<usize>> {
        let (starts, member) = (self.lengths(name)?, self.member(name)?);
        if starts.first() != Some(&0) {
            let words = starts.first().map_or("is empty".to_owned(), |first| format!("begins with {first}"));
            return Err(self.broken(member, format!("{words}, and has to begin with 0")));
        }
        match starts.windows(2).position(|pair| pair[0] > pair[1]) {
            Some(place) => {
                let (before, after) = (starts[place], starts[place + 1]);
                let problem = format!("goes down from {before} to {after} at position {}", place + 1);
                Err(self.broken(member, problem))
            }
            None => Ok(starts),
        }
    }

    /// Indices below `end`.
    pub fn indices(&self, name: &str, end: usize) -> Result<Vec<u32>> {
        let mut indices = Vec::new();
        self.each_integer(name, |member, place, integer| {
            match u32::try_from(integer) {
                Ok(index) if (index as usize) < end => indices.push(index),
                _ => {
                    let problem = format!("has {integer} at position {place}, outside of 0 to {end} (exclusive)");
                    return Err(self.broken(member, problem));
                }
            }
            Ok(())
        })?;
        Ok(indices)
    }

    /// The rows and columns of entries: `row` and `col`, or the rows of `coords`.
    pub fn coordinates(&self, (rows, cols): (usize, usize)) -> Result<[Vec<u32>; 2]> {
        if !self.members.iter().any(|member| member.name == "coords") {
            return Ok([self.indices("row", rows)?, self.indices("col", cols)?]);
        }
        let member = self.member("coords")?;
        let count = match *member.shape.as_slice() {
            [1 | 2, count] => count,
            ref shape => return Err(self.broken(member, format!("has the shape {shape:?}, not 2 x entries"))),
        };
        let all = self.indices("coords", rows.max(cols))?;
        let (first, second) = all.split_at(count.min(all.len()));
        let second = if member.shape[0] == 1 { vec![0; count] } else { second.to_vec() };
        for (axis, indices, end) in [("row", first, rows), ("column", &second, cols)] {
            if let Some(index) = indices.iter().find(|index| **index as usize >= end) {
                return Err(self.broken(member, format!("has the {axis} {index}, outside of 0 to {end} (exclusive)")));
            }
        }
        Ok([first.to_vec(), second])
    }

    /// The numbers of diagonals, 0 for the main one, above 0 to the right of it.
    pub fn offsets(&self) -> Result<Vec<i64>> {
        let mut offsets = Vec::new();
        self.each_integer("offsets", |member, place, integer| {
            let offset = i64::try_from(integer).ok().filter(|offset| offset.unsigned_abs() <= u64::from(u32::MAX));
            offsets.push(offset.ok_or_else(|| self.broken(member, format!("has {integer} at position {place}")))?);
            Ok(())
        })?;
        Ok(offsets)
    }

    /// The values in `f64`, and the magnitude that rounding of integers took from them in all.
    pub fn values(&self) -> Result<(Vec<f64>, f64)> {
        let member = self.member("data")?;
        if Integer::of(&member.element).is_none() {
            let view = TensorView::new(member, npz::read(self.archive, self.contents, member)?)?;
            let mut values = vec![0.0; member.elements()];
            view.copy_f64(0, &mut values)?;
            // In all, and not as a 2-norm, because values of one place are added.
            let lost = |sum: f64, value: &f64| match view.lost(std::slice::from_ref(value)) {
                0.0 => sum,
                lost => (sum + lost).next_up(),
            };
            let rounding = if member.element.fits_f64() { 0.0 } else { values.iter().fold(0.0, lost) };
            return Ok((values, rounding));
        }
        let (mut values, mut rounding) = (Vec::new(), 0.0f64);
        self.each_integer("data", |_, _, integer| {
            let (value, lost) = widened(integer);
            values.push(value);
            if lost > 0.0 {
                rounding = (rounding + lost).next_up();
            }
            Ok(())
        })?;
        Ok((values, rounding))
    }

    /// Refuses a matrix whose other places are not zero, as the package `sparse` can write.
    pub fn expect_zero_fill(&self) -> Result<()> {
        let Some(member) = self.members.iter().find(|member| member.name == "fill_value") else { return Ok(()) };
        let is_number = !matches!(member.element, Element::Other(_));
        let bytes = npz::read(self.archive, self.contents, member)?;
        match is_number && bytes.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(self.broken(member, "is not 0: a matrix with other values at most places is not sparse")),
        }
    }
}
