//! output = left · right, of sides in quads.

/// The `rows` × `cols` product of sides with `length` contiguous rows, up to whole quads.
pub fn matmul_tiles((rows, length, cols): (usize, usize, usize), left: &[f64], right: &[f64]) -> Vec<f64> {
    let (left_row, right_row) = (rows.next_multiple_of(4), cols.next_multiple_of(4));
    let entry = |row, col| (0..length).map(|step| left[step * left_row + row] * right[step * right_row + col]).sum();
    (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))).map(|(row, col)| entry(row, col)).collect()
}
