//! The largest finite magnitude and the first entry that is not finite.

use super::max_abs::{MaxAbs, max_abs};

/// The range of the entries of a matrix: `max |matrix[i, j]|` over its finite entries, and the first entry in row-major
/// order that is not finite.
pub fn screen(matrix: &[f64]) -> MaxAbs {
    max_abs(matrix)
}
