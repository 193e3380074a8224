//! The entries of a sparse matrix on the host.

use super::screen::Screen;
use super::size::volume;
use super::{ElementSource, Position, SourceElement};
use crate::{Error, Result};

/// The entries of a sparse matrix on the host: a value for each place, by rows, and by columns within a row. Places
/// without an entry are zeros.
///
/// As an [`ElementSource`] the entries are the whole matrix, zeros included, row-major.
///
/// ```
/// use opnorm::tensor::SparseEntries;
/// let entries = SparseEntries::new(2, 3, [(1, 2, 4.0), (0, 0, 3.0), (1, 2, 0.5)])?;
/// assert_eq!(entries.iter().collect::<Vec<_>>(), [(0, 0, 3.0), (1, 2, 4.5)]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SparseEntries {
    rows: usize,
    cols: usize,
    places: Vec<[u32; 2]>,
    values: Vec<f64>,
    rounding: f64,
}

/// A row and a column, with the value there.
pub(crate) type Placed = ([u32; 2], f64);

impl SparseEntries {
    /// The matrix with these values at (row, column), in any order. Values of one place are added up.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a place outside the matrix, [`Error::TooLarge`] for sides of 2^32 and more.
    pub fn new(rows: usize, cols: usize, entries: impl IntoIterator<Item = (usize, usize, f64)>) -> Result<Self> {
        expect_sides(rows, cols)?;
        let placed = entries.into_iter().map(|(row, col, value)| {
            let within = |what, place: usize, length| {
                let found = place..place.saturating_add(1);
                if place < length { Ok(place as u32) } else { Err(out_of_range(what, found, length)) }
            };
            Ok(([within("rows", row, rows)?, within("columns", col, cols)?], value))
        });
        Self::of_placed(rows, cols, placed.collect::<Result<_>>()?)
    }

    /// As [`SparseEntries::new`], of entries in one list.
    pub(crate) fn of_placed(rows: usize, cols: usize, mut placed: Vec<Placed>) -> Result<Self> {
        expect_sides(rows, cols)?;
        if let Some(([row, col], _)) =
            placed.iter().find(|([row, col], _)| *row as usize >= rows || *col as usize >= cols)
        {
            let place = (*row as usize).max(*col as usize);
            return Err(out_of_range("rows and columns", place..place + 1, rows.max(cols)));
        }
        if !placed.is_sorted_by(|left, right| left.0 < right.0) {
            // Stable, so that values of one place are added in the order given.
            placed.sort_by_key(|(place, _)| *place);
        }
        let count = placed.chunk_by(|left, right| left.0 == right.0).count();
        let mut entries =
            Self { rows, cols, places: Vec::with_capacity(count), values: Vec::with_capacity(count), rounding: 0.0 };
        for same in placed.chunk_by(|left, right| left.0 == right.0) {
            let mut sum = same[0].1;
            for (_, value) in &same[1..] {
                let (added, lost) = two_sum(sum, *value);
                (sum, entries.rounding) = (added, sum_above(entries.rounding, lost));
            }
            entries.places.push(same[0].0);
            entries.values.push(sum);
        }
        Ok(entries)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The number of entries, zeros among them included.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Each entry as (row, column, value), by rows, and by columns within a row.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        self.places.iter().zip(&self.values).map(|([row, col], value)| (*row as usize, *col as usize, *value))
    }

    /// An upper bound of ‖G - A‖_F, with G the matrix given and A these entries: the rounding of sums of values of one
    /// place, and of integers past 2^53.
    pub fn rounding(&self) -> f64 {
        self.rounding
    }

    /// These entries, of which a reader rounded the values by at most `rounding` in all.
    #[cfg(any(feature = "io-npy", feature = "io-mtx"))]
    pub(crate) fn rounded_by(self, rounding: f64) -> Self {
        Self { rounding: sum_above(self.rounding, rounding), ..self }
    }

    /// The values, in the order of [`SparseEntries::iter`].
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// 1 at each place with a value other than 0: sums of booleans are true or false.
    #[cfg(feature = "io-npy")]
    pub(crate) fn into_booleans(mut self) -> Self {
        self.values.iter_mut().for_each(|value| *value = f64::from(*value != 0.0));
        Self { rounding: 0.0, ..self }
    }

    /// The largest magnitude, and the first entry that is not finite.
    pub(crate) fn screen(&self) -> Screen {
        let mut screen = Screen::default();
        self.iter().for_each(|(row, col, value)| screen.see(value, || Position { row, col }));
        screen
    }

    /// Calls `each` with the index from `first` on and the value of every entry within `count` elements.
    fn each_within(&self, first: usize, count: usize, mut each: impl FnMut(usize, f64)) -> Result<()> {
        let length = volume(&[self.rows, self.cols]);
        let Some(end) = first.checked_add(count).filter(|end| *end <= length) else {
            return Err(out_of_range("elements", first..first.saturating_add(count), length));
        };
        // Below 2^64, because both sides are below 2^32.
        let index = |place: &[u32; 2]| u64::from(place[0]) * self.cols as u64 + u64::from(place[1]);
        let begin = self.places.partition_point(|place| index(place) < first as u64);
        let entries = self.places[begin..].iter().zip(&self.values[begin..]);
        for (place, value) in entries.take_while(|(place, _)| index(place) < end as u64) {
            each((index(place) - first as u64) as usize, *value);
        }
        Ok(())
    }
}

impl ElementSource for SparseEntries {
    fn element(&self) -> SourceElement {
        SourceElement::F64
    }

    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        out.fill(0.0);
        self.each_within(first, out.len(), |place, value| out[place] = value as f32)
    }

    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        out.fill(0.0);
        self.each_within(first, out.len(), |place, value| out[place] = value)
    }

    fn copy_half_bits(&self, _: usize, _: &mut [u16]) -> Result<()> {
        Err(Error::ShapeMismatch {
            operation: "copy_half_bits",
            expected: "elements of 16 bits".to_string(),
            found: "f64".to_string(),
        })
    }
}

/// The sum of two numbers as it is rounded, and the magnitude that rounding takes from it.
///
/// *Source*  Knuth, *The Art of Computer Programming*, volume 2, 4.2.2, theorem B.
fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let other = sum - left;
    let lost = (left - (sum - other)) + (right - other);
    (sum, if lost.is_finite() { lost.abs() } else { 0.0 })
}

/// An upper bound of a sum, of which the second term is often 0.
fn sum_above(sum: f64, term: f64) -> f64 {
    if term > 0.0 { (sum + term).next_up() } else { sum }
}

fn out_of_range(what: &'static str, found: std::ops::Range<usize>, length: usize) -> Error {
    Error::OutOfRange { operation: "sparse entries", what, found, length }
}

/// Refuses sides that the integers of shaders do not count.
fn expect_sides(rows: usize, cols: usize) -> Result<()> {
    let limit = u64::from(u32::MAX);
    if rows.max(cols) as u64 <= limit {
        return Ok(());
    }
    Err(Error::TooLarge {
        operation: "sparse entries",
        what: format!("the longer side of a {rows} x {cols} matrix"),
        needed: rows.max(cols) as u64,
        limit,
        advice: "cut the matrix into several",
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    #[test]
    fn windows_of_the_whole_matrix_have_its_zeros() {
        let entries = SparseEntries::new(3, 4, [(2, 3, 7.0), (0, 1, 1.0), (1, 0, -2.0), (1, 0, 0.5)]).unwrap();
        let dense = [0.0, 1.0, 0.0, 0.0, -1.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0];
        for first in 0..=12 {
            for count in 0..=12 - first {
                let mut out = vec![f64::NAN; count];
                entries.copy_f64(first, &mut out).unwrap();
                assert_eq!(out, dense[first..first + count]);
            }
        }
        assert!(entries.copy_f64(5, &mut [0.0; 8]).is_err() && entries.copy_f64(usize::MAX, &mut [0.0]).is_err());
        assert_eq!(entries.rounding(), 0.0, "the sum is exact");
    }

    #[test]
    fn what_sums_lose_is_bounded() {
        let entries = SparseEntries::new(1, 1, [(0, 0, 1.0), (0, 0, 2f64.powi(-60)), (0, 0, 0.1)]).unwrap();
        assert!(entries.rounding() >= 2f64.powi(-60) && entries.rounding() < 2f64.powi(-51));
    }

    #[test]
    fn places_outside_and_sides_past_32_bits_are_refused() {
        assert!(SparseEntries::new(2, 3, [(2, 0, 1.0)]).is_err());
        assert!(SparseEntries::new(2, 3, [(0, 3, 1.0)]).is_err());
        assert!(SparseEntries::new(1 << 33, 3, []).unwrap_err().to_string().contains("4294967295"));
        let longest = SparseEntries::new(u32::MAX as usize, u32::MAX as usize, [(1 << 31, 5, 1.0)]).unwrap();
        let mut one = [0.0];
        longest.copy_f64((1usize << 31) * u32::MAX as usize + 5, &mut one).unwrap();
        assert_eq!(one, [1.0]);
    }
}
