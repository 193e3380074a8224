//! The words of shapes in messages.

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
