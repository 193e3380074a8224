//! Shapes in files: their number of elements, and their words in messages.

/// The number of elements, or `None` beyond the range of memory addresses.
///
/// A 0 makes the tensor empty, but only after the other lengths are multiplied. No program writes a shape such as `2^63
/// x 2^63 x 0`.
pub(super) fn checked_elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length))
}

/// `4 x 3`, or `scalar` for a shape without axes.
pub(super) fn words(shape: &[usize]) -> String {
    // Only the first axes, because a hostile header can hold millions.
    const SHOWN: usize = 8;
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    let words = shape.iter().take(SHOWN).map(usize::to_string).collect::<Vec<_>>().join(" x ");
    if shape.len() > SHOWN { format!("{words} x ... ({} axes)", shape.len()) } else { words }
}
