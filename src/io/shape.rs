//! Shapes in files: their number of elements, and their words in messages.

/// The number of elements, or `None` where it does not fit in memory's addresses.
///
/// A 0 anywhere makes the tensor empty, but not before the rest is multiplied: a shape such as `2^63 x 2^63 x 0` is no
/// shape that a program wrote.
pub(super) fn checked_elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length))
}

/// `4 x 3`, or `scalar` for the shape without axes.
pub(super) fn words(shape: &[usize]) -> String {
    // a hostile header can hold millions of axes; nobody reads more than a few
    const SHOWN: usize = 8;
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    let words = shape.iter().take(SHOWN).map(usize::to_string).collect::<Vec<_>>().join(" x ");
    if shape.len() > SHOWN { format!("{words} x ... ({} axes)", shape.len()) } else { words }
}
