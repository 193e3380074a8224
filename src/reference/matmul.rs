//! output = left · right.

/// A side of a product: its elements, and whether these are transposed.
pub type Factor<'a> = (&'a [f64], bool);

/// The product of a `rows` × `length` and a `length` × `cols` matrix.
pub fn matmul(
    (rows, length, cols): (usize, usize, usize),
    (left, left_transposed): Factor,
    (right, right_transposed): Factor,
) -> Vec<f64> {
    let left = |row, step| if left_transposed { left[step * rows + row] } else { left[row * length + step] };
    let right = |step, col| if right_transposed { right[col * length + step] } else { right[step * cols + col] };
    let entry = |row, col| (0..length).map(|step| left(row, step) * right(step, col)).sum();
    (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))).map(|(row, col)| entry(row, col)).collect()
}
