//! Rows without gaps -> rows padded with zeros to whole quads.

/// Each row with zeros after it, up to a multiple of four: `output[i, j] = input[i, j]`, or 0 for `j >= cols`.
pub fn pack(input: &[f64], cols: usize) -> Vec<f64> {
    let padding = cols.next_multiple_of(4) - cols;
    input.chunks_exact(cols).flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0.0, padding))).collect()
}
