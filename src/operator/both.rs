//! A product and the product of the transpose with it, as a step of an iteration takes them.

use crate::Result;
use crate::device::{Buffer, Device, Recorder, Scratch};
use crate::ops::{self, Rows, Segmented, Sums};
use crate::tensor::volume;

/// |t|² and Aᵀ t of a product t, in parts that are not yet added up.
pub struct Both {
    sums: Scratch,
    squares: usize,
    first_back: usize,
    back: usize,
    vectors: usize,
    scale: Buffer<f32>,
    /// The memory of the scale, where nobody else keeps it.
    kept: Option<Scratch>,
}

impl Both {
    /// Room for the sums of vectors of a length, in so many parts of squares and of products.
    pub(super) fn new(
        device: &Device,
        (vectors, length): (usize, usize),
        (squares, back): (usize, usize),
        scale: &Buffer<f32>,
    ) -> Result<Self> {
        let alignment = usize::try_from(device.capabilities().offset_alignment / 4).unwrap_or(64).max(1);
        let first_back = (squares * vectors).next_multiple_of(alignment);
        let sums = device.scratch("both products", first_back + volume(&[back, vectors, length]))?;
        Ok(Self { sums, squares, first_back, back, vectors, scale: scale.clone(), kept: None })
    }

    /// The memory of all sums.
    pub(super) fn sums(&self) -> Sums<'_> {
        Sums { buffer: &self.sums, first_back: self.first_back }
    }

    /// Keeps the memory of the scale until the sums were taken.
    pub(super) fn keep(&mut self, scale: Scratch) {
        self.kept.get_or_insert(scale);
    }

    /// The parts of |t|².
    pub(super) fn squares(&self) -> Buffer<f32> {
        self.sums.slice(0..self.squares * self.vectors)
    }

    /// The parts of Aᵀ t.
    pub(super) fn back(&self) -> Buffer<f32> {
        self.sums.slice(self.first_back..self.sums.len())
    }

    /// Records norm = |t|, and output = scale · Aᵀ t / norm - norm · input.
    pub(crate) fn remainder(
        &self,
        recorder: &mut Recorder,
        input: &Buffer<f32>,
        norms: (&Buffer<f32>, usize),
        output: &Buffer<f32>,
    ) -> Result<()> {
        let (squares, back) = (self.squares(), self.back());
        let rows = Rows { vectors: self.vectors, length: back.len() / (self.back * self.vectors).max(1) };
        let parts =
            (Segmented { buffer: &squares, count: self.squares }, Segmented { buffer: &back, count: self.back });
        ops::remainder(recorder, rows, (input, &self.scale), parts, norms, output)
    }
}
