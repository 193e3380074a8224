//! Segments of the elements of items that lie one after another.

use std::ops::Range;

/// Segments of items of one size.
pub(crate) struct Parts {
    item: usize,
    /// Segments of an item, the last ones perhaps empty.
    pub(crate) count: usize,
    /// Elements of a segment.
    pub(crate) length: usize,
}

impl Parts {
    /// Segments of so many quads, of items of so many.
    pub(crate) fn new(item_quads: u32, count: u32, segment_quads: u32) -> Self {
        Self { item: 4 * item_quads as usize, count: count as usize, length: 4 * segment_quads as usize }
    }

    /// The places of a segment, counted over all items.
    pub(crate) fn of(&self, index: usize) -> Range<usize> {
        let (first, end) = (index / self.count * self.item, (index / self.count + 1) * self.item);
        let start = first + index % self.count * self.length;
        start.min(end)..end.min(start + self.length)
    }
}
