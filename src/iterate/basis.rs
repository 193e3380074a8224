//! The vectors of a Krylov space, in pieces that each fit a binding.

use crate::gpu::{Buffer, Gpu, Recorder};
use crate::tensor::Tensor;
use crate::{Result, ops};

/// Slots of one vector for each item, made as they are needed; a slot that was never written holds zeros.
pub(crate) struct Basis {
    gpu: Gpu,
    vectors: usize,
    length: usize,
    stride: usize,
    slots_per_piece: usize,
    pieces: Vec<Buffer<f32>>,
}

impl Basis {
    /// Slots of a piece: few, so that little memory is made in vain, yet one dispatch covers many.
    const SLOTS: usize = 32;

    pub(crate) fn new(gpu: &Gpu, vectors: usize, length: usize) -> Self {
        let alignment = usize::try_from(gpu.capabilities().offset_alignment / 4).unwrap_or(64).max(1);
        let stride = (vectors * length).next_multiple_of(alignment);
        let slots_per_piece = (gpu.capabilities().binding_elements() / stride.max(1)).clamp(1, Self::SLOTS);
        Self { gpu: gpu.clone(), vectors, length, stride, slots_per_piece, pieces: Vec::new() }
    }

    /// Slots that fit into so many bytes.
    pub(crate) fn slots_within(&self, bytes: u64) -> usize {
        usize::try_from(bytes / (4 * self.stride.max(1) as u64)).unwrap_or(usize::MAX)
    }

    /// The vectors of one slot, batch × 1 × length.
    pub(crate) fn slot(&mut self, index: usize) -> Result<Tensor> {
        while index >= self.pieces.len() * self.slots_per_piece {
            let piece = Buffer::zeros(&self.gpu, "Krylov basis", self.slots_per_piece * self.stride)?;
            self.pieces.push(piece);
        }
        let start = index % self.slots_per_piece * self.stride;
        let part = self.pieces[index / self.slots_per_piece].slice(start..start + self.vectors * self.length);
        Tensor::from_buffer(part, &[self.vectors, 1, self.length])
    }

    /// Forgets all slots.
    pub(crate) fn clear(&mut self) {
        self.pieces.clear();
    }

    /// Records vector = vector - V Vᵀ vector with V the first `count` slots: one pass of classical Gram-Schmidt.
    pub(crate) fn orthogonalise(&self, recorder: &mut Recorder, count: usize, vector: &Buffer<f32>) -> Result<()> {
        let shape = (self.vectors, self.length);
        for (piece, slots) in self.filled(count) {
            let segments = ops::Segments::for_group(&self.gpu, self.length).count;
            let coefficients = self.gpu.scratch("project", segments * self.vectors * slots)?;
            let basis = (piece, slots, self.stride);
            ops::project(recorder, shape, basis, vector, &coefficients)?;
            if segments == 1 {
                ops::combine(recorder, shape, basis, (-1.0, &coefficients, 1), vector)?;
            } else {
                let summed = self.gpu.scratch("project", self.vectors * slots)?;
                ops::sum_partials(recorder, &coefficients, segments, self.vectors, slots, &summed)?;
                ops::combine(recorder, shape, basis, (-1.0, &summed, 1), vector)?;
            }
        }
        Ok(())
    }

    /// Records output = output + Vᵀ coefficients, with the coefficients of each vector in a row of their own.
    pub(crate) fn combine(
        &self,
        recorder: &mut Recorder,
        coefficients: &[Vec<f64>],
        output: &Buffer<f32>,
    ) -> Result<()> {
        let count = coefficients.iter().map(Vec::len).max().unwrap_or(0);
        let mut first = 0;
        for (piece, slots) in self.filled(count) {
            let part: Vec<f32> = coefficients
                .iter()
                .flat_map(|row| (first..first + slots).map(|slot| row.get(slot).copied().unwrap_or(0.0) as f32))
                .collect();
            let part = Buffer::from_slice(&self.gpu, "combine", &part)?;
            ops::combine(recorder, (self.vectors, self.length), (piece, slots, self.stride), (1.0, &part, 1), output)?;
            first += slots;
        }
        Ok(())
    }

    /// The pieces that hold the first `count` slots, each with how many of them.
    fn filled(&self, count: usize) -> impl Iterator<Item = (&Buffer<f32>, usize)> {
        let slots = move |index: usize| count.saturating_sub(index * self.slots_per_piece).min(self.slots_per_piece);
        self.pieces.iter().enumerate().map(move |(index, piece)| (piece, slots(index))).filter(|(_, slots)| *slots > 0)
    }
}
