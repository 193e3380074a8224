//! Error bounds of kernels against their reference implementations, derived from WGSL's promises.
//!
//! WGSL lets `+`, `-`, `*` and each half of an `fma` round in either direction, so that a rounding is a relative error
//! of at most [`U`]. A bound is [`gamma`] of the roundings on the longest way of a term through the kernel, times the
//! sum of the magnitudes of the terms. The reference implementation computes that sum from the magnitudes of the
//! inputs.
//!
//! | operation | roundings |
//! |---|---|
//! | `fma` | 2: a product and a sum |
//! | a chain of n `fma` from 0 | n for the first term: the product, and n - 1 sums, because 0 + x is exact |
//! | a sum of n numbers | n - 1 |
//! | the `dot` of four sums with ones | 3 |

/// One rounding, in either direction.
pub const U: f64 = 1.0 / (1 << 23) as f64;

/// The reference implementation's own rounding, relative to the sum of magnitudes: 2^22 terms of 2^-53 each, which is
/// 1/256 of a rounding.
const TWIN: f64 = 1.0 / (1u64 << 31) as f64;

/// The relative error of `roundings` successive roundings, which may be halves under a root.
pub fn gamma(roundings: f64) -> f64 {
    let sum = roundings * U;
    assert!(sum < 0.5, "a bound of {roundings} roundings says nothing");
    sum / (1.0 - sum)
}

/// An error bound in the sum of magnitudes.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    roundings: f64,
    flushed: f64,
}

impl Bound {
    /// The roundings on the longest way of a term, and the error of flushed subnormal numbers.
    pub fn of(roundings: usize, flushed: f64) -> Self {
        Self { roundings: roundings as f64, flushed }
    }

    /// As [`Bound::of`], with half roundings.
    pub fn halves(roundings: f64) -> Self {
        Self { roundings, flushed: 0.0 }
    }

    /// The bound for one entry whose terms have magnitudes of this sum.
    pub fn at(self, magnitude: f64) -> f64 {
        (gamma(self.roundings) + TWIN) * magnitude + self.flushed
    }

    /// The bounds for entries.
    pub fn each(self, magnitudes: &[f64]) -> Vec<f64> {
        magnitudes.iter().map(|magnitude| self.at(*magnitude)).collect()
    }
}

/// The error that flushing adds to an entry. Each operation may flush an operand or its result below 2^-126, which
/// changes the entry by 2^-126 times the later factors: at most `scale`, the product of the largest magnitudes.
///
/// 0 where no product of inputs is below 2^-100, because every number is then a multiple of 2^-123.
pub fn flushed(operations: usize, inputs: &[&[f64]]) -> f64 {
    let sizes = |values: &&[f64]| {
        let magnitudes = values.iter().map(|value| value.abs()).filter(|value| *value > 0.0 && value.is_finite());
        magnitudes.fold((1f64, 1f64), |(least, most), value| (least.min(value), most.max(value)))
    };
    let (least, most) = inputs.iter().map(sizes).fold((1.0, 1.0), |all, one| (all.0 * one.0, all.1 * one.1));
    if least >= 2f64.powi(-100) { 0.0 } else { operations as f64 * 2f64.powi(-126) * most }
}

/// The roundings of a term in a sum of `terms`: 15 sums of a run of 16, and a sum for each level of the tree
/// (`shaders/lib/tree.wgsl`).
pub fn tree_roundings(terms: usize) -> usize {
    let runs = terms.div_ceil(16).max(1);
    terms.min(16) - 1 + runs.next_power_of_two().ilog2() as usize
}

/// A sum of `total` terms in at most 8192 segments of at least `least` terms (`src/ops/segments.rs`).
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub length: usize,
    pub count: usize,
}

/// Loop trips over one segment, up to 8192 segments.
const TRIPS: usize = 512;

const SEGMENTS: usize = 8192;

/// Loop trips over the longest segment.
const LONGEST: usize = 32_768;

impl Cut {
    /// A sum that one lane adds alone.
    pub fn for_lane(total: usize) -> Self {
        Self::within(total, TRIPS, LONGEST)
    }

    /// A sum that the lanes of a group share.
    pub fn for_group(total: usize, lanes: usize) -> Self {
        Self::within(total, TRIPS * lanes, LONGEST * lanes)
    }

    /// A sum over rows that one lane adds, in segments of at least `least` rows.
    pub fn for_rows(total: usize, least: usize) -> Self {
        Self::within(total, least, LONGEST)
    }

    fn within(total: usize, least: usize, longest: usize) -> Self {
        let length = least.max(total.div_ceil(SEGMENTS)).min(longest);
        Self { length: length.min(total), count: total.div_ceil(length) }
    }

    /// The roundings of a product summed by a group: a chain of fused products for each lane, then the lanes in order.
    pub fn group_roundings(self, lanes: usize) -> usize {
        self.length.div_ceil(lanes) + lanes.min(self.length) - 1
    }

    /// As [`Cut::group_roundings`], of runs of 16 fused products a lane and a tree of their sums.
    pub fn tree_group_roundings(self, lanes: usize) -> usize {
        1 + tree_roundings(self.length.div_ceil(lanes)) + lanes.min(self.length) - 1
    }
}

/// The constants equal the crate's, because other constants would give bounds of another kernel.
#[test]
fn lanes_cut_their_sums_as_the_kernels_do() {
    let totals = [1, 511, 512, 513, 70_000, 8192 * 512, 8192 * 512 + 1, 1 << 25, 1 << 28, (1 << 28) + 1, 1 << 30];
    for total in totals {
        let (cut, said) = (Cut::for_lane(total), opnorm::low_level::ops::sum_axis_segments(total));
        assert_eq!((cut.length, cut.count), (said.length.min(total), said.count), "{total}");
    }
}
