//! Several slices that are cut alike.

/// Blocks of `length` elements of several slices of one length, side by side.
pub(crate) fn blocks<T>(slices: Vec<&mut [T]>, length: usize) -> impl Iterator<Item = Vec<&mut [T]>> {
    let count = slices.first().map_or(0, |slice| slice.len().div_ceil(length.max(1)));
    let mut chunks: Vec<_> = slices.into_iter().map(|slice| slice.chunks_mut(length.max(1))).collect();
    (0..count).map(move |_| chunks.iter_mut().filter_map(Iterator::next).collect())
}
