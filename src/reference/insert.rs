//! output[outer, first + i, inner] = input[outer, i, inner], with the rest of the axis unchanged.

/// Writes the middle of three axes over a part of the middle axis of `output`, `target` long, from `first` on.
pub fn insert<T: Copy>(
    input: &[T],
    (outer, length, inner): (usize, usize, usize),
    (first, target): (usize, usize),
    output: &mut [T],
) {
    for block in 0..outer {
        let start = (block * target + first) * inner;
        output[start..start + length * inner].copy_from_slice(&input[block * length * inner..][..length * inner]);
    }
}
