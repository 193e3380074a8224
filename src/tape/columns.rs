//! Columns of a tensor of vectors, and their places in the memory of a program.

use crate::Result;
use crate::device::{Buffer, Recorder};

/// Some columns of a tensor of vectors, batch × columns × any, which a program stores as columns × batch × any.
pub(super) struct Columns {
    pub(super) first: usize,
    pub(super) columns: usize,
    /// All columns of the tensor.
    pub(super) count: usize,
}

impl Columns {
    /// The places of each run of neighbouring vectors in the tensor and in the program's memory, with the length of the
    /// run.
    fn runs(&self, batch: usize) -> Vec<(usize, usize, usize)> {
        match (batch, self.count) {
            (1, _) => vec![(self.first, 0, self.columns)],
            (_, 1) => vec![(0, 0, batch)],
            _ => {
                let places = (0..self.columns).flat_map(|column| (0..batch).map(move |item| (column, item)));
                places
                    .map(|(column, item)| (item * self.count + self.first + column, column * batch + item, 1))
                    .collect()
            }
        }
    }

    /// Records copies of the columns into a program's memory.
    pub(super) fn gather(
        &self,
        recorder: &mut Recorder,
        vectors: &Buffer<f32>,
        own: &Buffer<f32>,
        sizes: (usize, usize),
    ) -> Result<()> {
        self.runs(sizes.0).into_iter().try_for_each(|(place, own_place, length)| {
            recorder.copy(&run(vectors, place, length, sizes.1), &run(own, own_place, length, sizes.1))
        })
    }

    /// Records copies of the columns out of a program's memory.
    pub(super) fn scatter(
        &self,
        recorder: &mut Recorder,
        own: &Buffer<f32>,
        vectors: &Buffer<f32>,
        sizes: (usize, usize),
    ) -> Result<()> {
        self.runs(sizes.0).into_iter().try_for_each(|(place, own_place, length)| {
            recorder.copy(&run(own, own_place, length, sizes.1), &run(vectors, place, length, sizes.1))
        })
    }
}

/// `length` neighbouring vectors of `size` elements from `place` on.
fn run(vectors: &Buffer<f32>, place: usize, length: usize, size: usize) -> Buffer<f32> {
    vectors.slice(place * size..(place + length) * size)
}
