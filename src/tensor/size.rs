//! Products of sizes, which come from users and files and may overflow.

use crate::{Error, Result};

/// The number of elements of a shape.
///
/// # Errors
/// [`Error::TooLarge`] for more elements than memory holds.
pub(crate) fn elements(operation: &'static str, shape: &[usize]) -> Result<usize> {
    let product = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    product.filter(|count| *count <= usize::MAX / 8).ok_or_else(|| Error::TooLarge {
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
