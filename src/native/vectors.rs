//! Vectors of one length in one buffer, some of which sit out.

use std::ops::Range;

use bytemuck::Pod;

use crate::device::{Words, each_chunk};

/// Elements that are worked on together: a few cache lines of each operand, which stay in the first cache.
const PART: usize = 1024;

/// Vectors of one length, one after another, and which of them an operation skips.
pub(crate) struct Vectors<'a> {
    length: usize,
    mask: Option<&'a [u32]>,
    work: usize,
}

impl<'a> Vectors<'a> {
    /// Vectors of a length, with the mask of a kernel and its parameter `masked`.
    pub(crate) fn new(length: u32, mask: Words<'a>, masked: u32) -> Self {
        Self { length: length as usize, mask: (masked != 0).then(|| mask.read()), work: 1 }
    }

    /// Vectors none of which sits out.
    pub(crate) fn all(length: u32) -> Self {
        Self { length: length as usize, mask: None, work: 1 }
    }

    /// The vectors with operations that touch `work` elements for each element written.
    pub(crate) fn of_work(self, work: usize) -> Self {
        Self { work, ..self }
    }

    /// Whether a vector sits out.
    pub(crate) fn skips(&self, vector: usize) -> bool {
        self.mask.is_some_and(|mask| mask[vector] == 0)
    }

    /// The places of a vector.
    pub(crate) fn part(&self, vector: usize) -> Range<usize> {
        vector * self.length..(vector + 1) * self.length
    }

    /// The places of one segment of a vector.
    pub(crate) fn segment(&self, vector: usize, segment: usize, segment_length: u32) -> Range<usize> {
        let Range { start, end } = self.part(vector);
        let first = start + segment * segment_length as usize;
        first.min(end)..end.min(first + segment_length as usize)
    }

    /// Calls `each` with the vector, the first place and the elements of every part of the output that is not skipped;
    /// the output has the vectors' places.
    pub(crate) fn each_part(
        &self,
        vectors: u32,
        output: Words<'_>,
        each: impl Fn(usize, usize, &mut [f32]) + Send + Sync,
    ) {
        let output = &mut output.write::<f32>()[..vectors as usize * self.length];
        if self.length >= PART {
            let mut parts: Vec<_> = output.chunks_mut(self.length).map(|vector| vector.chunks_mut(PART)).collect();
            let per_vector = self.length.div_ceil(PART);
            let mut parts: Vec<_> = parts.iter_mut().flatten().collect();
            return each_chunk(&mut parts, 1, PART * (self.work + 1), |index, parts| {
                let (vector, part) = (index / per_vector, index % per_vector);
                if !self.skips(vector) {
                    each(vector, vector * self.length + part * PART, parts[0]);
                }
            });
        }
        each_chunk(output, self.length, self.length * (self.work + 1), |vector, output| {
            if !self.skips(vector) {
                each(vector, vector * self.length, output);
            }
        });
    }

    /// Calls `each` with the vector, the places and the output of every segment that is not skipped; the output is
    /// segments × vectors.
    pub(crate) fn each_segment<T: Pod + Send>(
        &self,
        vectors: u32,
        (segments, segment_length): (u32, u32),
        output: Words<'_>,
        each: impl Fn(usize, Range<usize>, &mut T) + Send + Sync,
    ) {
        let vectors = vectors as usize;
        let output = &mut output.write::<T>()[..vectors * segments as usize];
        each_chunk(output, 1, self.length.min(segment_length as usize), |index, output| {
            let (vector, segment) = (index % vectors, index / vectors);
            if !self.skips(vector) {
                each(vector, self.segment(vector, segment, segment_length), &mut output[0]);
            }
        });
    }
}
