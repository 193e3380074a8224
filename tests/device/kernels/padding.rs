//! Matrices on the device with their padding, which kernels must leave zero.

use bytemuck::cast_slice;
use opnorm::Matrix;
use opnorm::tensor::Storage;

use super::case::{Case, UNTOUCHED};

/// Overwrites a matrix, padding included, where it lies in one piece.
pub fn fill_untouched(matrix: &Matrix) {
    if let Some((words, stride)) = matrix.words() {
        let untouched = vec![UNTOUCHED; matrix.batch() * matrix.rows() * stride];
        words.write(matrix.device(), "test", 0, cast_slice(&untouched)).unwrap();
    }
}

/// The entries with their padding, where the matrix lies in one piece.
pub fn padded(case: &Case<'_>, matrix: &Matrix) -> Option<Vec<f32>> {
    let (words, _) = matrix.words()?;
    Some(case.read(words).into_iter().map(f32::from_bits).collect())
}

/// The entries of an `f32` matrix; its padding must be zero, as products count on it.
pub fn read_padded(case: &Case<'_>, matrix: &Matrix) -> Vec<f32> {
    assert_eq!(matrix.storage(), Storage::F32);
    let Some(found) = padded(case, matrix) else {
        return matrix.read().unwrap();
    };
    let (cols, rows) = (matrix.cols(), found.chunks_exact(matrix.cols().next_multiple_of(4)));
    let clean = rows.clone().all(|row| row[cols..].iter().all(|value| *value == 0.0));
    case.expect(clean, || "the padding is not zero".to_string());
    rows.flat_map(|row| row[..cols].to_vec()).collect()
}
