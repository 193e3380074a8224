//! The cutting of long sums, so that invocations keep to the loop budget and partial results stay few.

use crate::device::Device;
use crate::tensor::Matrix;

/// A length cut into equal segments, the last segment perhaps shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The length of a segment.
    pub length: usize,
    /// The number of segments.
    pub count: usize,
}

/// The loop trips of one invocation over a segment, far below the loop budget. So long sums spread over the device, and
/// rounding errors stay small.
const TRIPS: usize = 512;

/// The limit of segments of one sum, up to segments of the longest length. The loop budget applies here too, because
/// one invocation adds the partial results.
const MOST: usize = 8192;

/// The loop trips of one invocation over the longest segment. The 2^30 elements of the largest binding then stay within
/// the loop budget, in each segment and over the segments.
const LONGEST: usize = 32_768;

impl Segments {
    /// Segments of `total` elements that a whole group shares.
    pub(crate) fn for_group(device: &Device, total: usize) -> Self {
        let lanes = device.capabilities().profile.lanes as usize;
        Self::cut(total, TRIPS * lanes, LONGEST * lanes)
    }

    /// Segments of `total` elements that one lane adds alone.
    pub(crate) fn for_lane(total: usize) -> Self {
        Self::cut(total, TRIPS, LONGEST)
    }

    /// As [`Self::for_lane`], of at least `least` elements.
    pub(crate) fn for_lane_of(total: usize, least: usize) -> Self {
        Self::cut(total, TRIPS.max(least), LONGEST)
    }

    /// Segments of `rows` rows for the transposed product.
    pub(crate) fn for_rows(device: &Device, rows: usize) -> Self {
        Self::cut(rows, device.capabilities().profile.adjoint_rows as usize, LONGEST)
    }

    fn cut(total: usize, least: usize, longest: usize) -> Self {
        let length = least.max(total.div_ceil(MOST)).min(longest);
        Self { length, count: total.div_ceil(length) }
    }
}

/// Segments of the rows of each item of a matrix, over all its panels; every panel starts a new segment.
pub(super) struct RowSegments {
    /// The number of rows of a segment.
    pub(super) length: usize,
    /// The number of segments of an item.
    pub(super) total: usize,
    panel_rows: usize,
}

impl RowSegments {
    /// The segments in which the rows of `matrix` are summed.
    pub(super) fn of(device: &Device, matrix: &Matrix) -> Self {
        let length = Segments::for_rows(device, matrix.rows()).length;
        // All panels of an item but the last have as many rows as the first.
        let panel_rows = matrix.panels().first().map_or(1, |panel| panel.place.rows.len());
        let whole = matrix.rows() / panel_rows * panel_rows.div_ceil(length);
        let total = whole + (matrix.rows() % panel_rows).div_ceil(length);
        Self { length, total, panel_rows }
    }

    /// The number of segments before the panel that starts at `row`.
    pub(super) fn before(&self, row: usize) -> usize {
        row / self.panel_rows * self.panel_rows.div_ceil(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cover_and_stay_within_the_loop_budget() {
        for total in [1, 511, 512, 513, 70_000, 33_554_432, 1 << 29, 1 << 30] {
            let segments = Segments::for_lane(total);
            assert!(segments.count * segments.length >= total);
            assert!((segments.count - 1) * segments.length < total);
            assert!(segments.count.max(segments.length) < 60_000);
        }
        assert_eq!(Segments::for_lane(33_554_432), Segments { length: 4096, count: 8192 });
    }
}
