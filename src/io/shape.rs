//! The words of shapes in messages.

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
