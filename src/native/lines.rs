//! Memory that starts on a cache line.

use bytemuck::{Pod, Zeroable};

/// The numbers of a cache line.
pub(super) const LINE: usize = 16;

/// A cache line: a vector that lies in two of them takes twice as long to read.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Numbers from the start of a cache line on.
#[derive(Default)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// At least so many zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        Self(vec![Line::zeroed(); length.div_ceil(LINE)])
    }

    /// Makes the length at least so many numbers.
    pub(super) fn extend_to(&mut self, length: usize) {
        let lines = length.div_ceil(LINE).max(self.0.len());
        self.0.resize(lines, Line::zeroed());
    }

    /// The numbers that there is memory for.
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity() * LINE
    }

    pub(super) fn numbers(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }

    pub(crate) fn numbers_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}
