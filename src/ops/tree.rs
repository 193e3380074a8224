//! Sums in a tree: the roundings and loop trips of an invocation of `shaders/lib/tree.wgsl`.

/// The number of terms that are added in sequence, before their sum enters the tree: RUN of the shader.
const RUN: usize = 16;

/// The limit of roundings of a term in a sum of `terms`: the roundings of its run, and one for each level of the tree.
///
/// 15 + ⌈log2 ⌈terms / 16⌉⌉ from 16 terms on: 20 for 512, 24 for 8192. Terms that are rounded products, or products
/// fused with the sum, have one rounding more.
pub(super) fn tree_roundings(terms: usize) -> usize {
    let runs = terms.div_ceil(RUN).max(1);
    RUN.min(terms).saturating_sub(1) + runs.next_power_of_two().trailing_zeros() as usize
}

/// The loop trips of an invocation that adds up `terms`, with the tests that end its loops.
///
/// A run is a trip of its own, plus the test that ends the loop of its terms. In the tree a run takes a test, and a
/// trip for each trailing 1 bit of its number, which is less than one on average.
pub(super) fn tree_trips(terms: usize) -> usize {
    terms.saturating_add(4 * terms.div_ceil(RUN)).saturating_add(20)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of `tree_add` and `tree_total`, with the depth of each partial sum in place of the sum.
    fn depth(terms: usize) -> usize {
        let mut levels: Vec<Option<usize>> = vec![None; 17];
        for first in (0..terms).step_by(RUN) {
            let mut sum = (terms - first).min(RUN) - 1;
            let mut level = 0;
            while let Some(waiting) = levels[level].take() {
                sum = waiting.max(sum) + 1;
                level += 1;
            }
            levels[level] = Some(sum);
        }
        let waiting = levels.into_iter().flatten();
        waiting.reduce(|total, level| level.max(total) + 1).unwrap_or(0)
    }

    #[test]
    fn roundings_are_those_of_the_order() {
        for terms in (0..3000).chain([8191, 8192, 8193, 32_768, 45_000]) {
            assert!(depth(terms) <= tree_roundings(terms), "{terms}");
        }
        assert_eq!((depth(512), tree_roundings(512)), (20, 20));
        assert_eq!((depth(8192), tree_roundings(8192)), (24, 24));
        assert_eq!(tree_roundings(16), 15);
    }

    #[test]
    fn the_longest_segments_stay_within_the_loop_budget() {
        assert!(tree_trips(32_768) < 60_000);
    }
}
