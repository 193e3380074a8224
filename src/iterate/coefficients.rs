//! The coefficients of vectors in a basis.

use crate::Result;
use crate::device::{Buffer, Device, ReadBack, Recorder};

/// The coefficients of each vector in the first slots of a [`Basis`](super::Basis), in memory of the device until the
/// host asks for them.
///
/// Several passes of an orthogonalisation lie beside each other, and [`Coefficients::rows`] adds them up.
// The slots of one piece of the basis are a block, because a pass writes them in one dispatch:
//
//     pass 0, piece 0: vectors × slots | padding | pass 0, piece 1 | ... | pass 1, piece 0 | ...
#[derive(Debug)]
#[must_use = "coefficients that nobody reads need not be kept"]
pub struct Coefficients {
    buffer: Buffer<f32>,
    vectors: usize,
    count: usize,
    slots_per_piece: usize,
    /// The elements from one block to the next.
    stride: usize,
}

impl Coefficients {
    /// Room for the coefficients of `count` slots; those of vectors that sit out stay 0.
    pub(super) fn new(
        device: &Device,
        passes: usize,
        (vectors, count): (usize, usize),
        (slots_per_piece, alignment): (usize, usize),
    ) -> Result<Self> {
        let stride = (vectors * slots_per_piece.min(count)).next_multiple_of(alignment);
        let buffer = Buffer::zeros(device, "coefficients", passes * count.div_ceil(slots_per_piece) * stride)?;
        Ok(Self { buffer, vectors, count, slots_per_piece, stride })
    }

    /// The block of one pass and one piece.
    pub(super) fn block(&self, pass: usize, piece: usize, slots: usize) -> Buffer<f32> {
        let start = (pass * self.pieces() + piece) * self.stride;
        self.buffer.slice(start..start + self.vectors * slots)
    }

    fn pieces(&self) -> usize {
        self.count.div_ceil(self.slots_per_piece)
    }

    /// Records a read-back, whose contents [`Coefficients::rows`] takes.
    ///
    /// # Errors
    /// As [`Recorder::read`].
    pub fn read(&self, recorder: &mut Recorder) -> Result<ReadBack<f32>> {
        recorder.read(&self.buffer)
    }

    /// The coefficients of each vector, a row of one for each slot, from the contents of [`Coefficients::read`].
    ///
    /// Passes are added in `f64`. Contents of other coefficients make no sense here, and what is missing counts as 0.
    pub fn rows(&self, contents: &[f32]) -> Vec<Vec<f64>> {
        let passes = self.buffer.len() / (self.pieces() * self.stride).max(1);
        let coefficient = |vector: usize, slot: usize| -> f64 {
            let (piece, place) = (slot / self.slots_per_piece, slot % self.slots_per_piece);
            let slots = self.slots_per_piece.min(self.count - piece * self.slots_per_piece);
            let within = piece * self.stride + vector * slots + place;
            let of_pass = |pass: usize| contents.get(pass * self.pieces() * self.stride + within);
            (0..passes).filter_map(of_pass).copied().map(f64::from).sum()
        };
        (0..self.vectors).map(|vector| (0..self.count).map(|slot| coefficient(vector, slot)).collect()).collect()
    }
}
