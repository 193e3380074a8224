//! Products of sizes, which come from users and files and may overflow.

use crate::{Error, Result};

/// The product of sizes, or `None` where the product is too large to count.
///
/// A 0 anywhere makes a tensor empty, but not before the rest is multiplied: a shape such as `2^63 x 2^63 x 0` is no
/// shape that a program wrote.
pub(crate) fn checked_volume(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size))
}

/// The number of elements of a shape.
///
/// # Errors
/// [`Error::TooLarge`] for more elements than memory holds.
pub(crate) fn elements(operation: &'static str, shape: &[usize]) -> Result<usize> {
    checked_volume(shape).filter(|count| *count <= usize::MAX / 8).ok_or_else(|| Error::TooLarge {
        operation,
        what: format!("the shape {shape:?}, in elements,"),
        needed: u64::MAX,
        limit: (usize::MAX / 8) as u64,
        advice: "check the shape",
    })
}

/// The product of sizes, or the largest `usize` where the product overflows: no buffer has that many elements.
pub(crate) fn volume(sizes: &[usize]) -> usize {
    sizes.iter().fold(1, |product, size| product.saturating_mul(*size))
}
