//! Words for shapes, element types and names in tables.

use crate::audit::Form;
use crate::io::Element;

/// The element type in a table, for a tensor of this type that is used as a matrix.
pub(super) fn dtype_of(element: &Element) -> String {
    if element.fits_f32() { element.to_string() } else { rounded(element) }
}

/// `f64 as f32`: the element type of rounded elements in a table, and a part of the note of their row.
pub(super) fn rounded(element: &Element) -> String {
    format!("{element} as f32")
}

/// `name #2`
pub(super) fn numbered(name: &str, number: usize) -> String {
    format!("{name} #{number}")
}

/// `16x1x3x3 as 16x9 reshaped`, `512x64`, `scalar`: the shape in a table.
pub(super) fn shape_of(shape: &[usize], form: &Form) -> String {
    match form {
        Form::Reshaped { .. } => format!("{} as {form}", shape_words(shape)),
        _ => shape_words(shape),
    }
}

/// `16x1x3x3`, with the first eight axes, because a file can claim thousands.
pub(super) fn shape_words(shape: &[usize]) -> String {
    const SHOWN: usize = 8;
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    let words = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    match shape.get(..SHOWN) {
        Some(shown) if shape.len() > SHOWN => format!("{}x… ({} axes)", words(shown), shape.len()),
        _ => words(shape),
    }
}

/// `16x(1x3x3)`, `512x64`: the shape, with the joined axes in parentheses.
pub(super) fn grouped(shape: &[usize], form: &Form) -> String {
    match (form, shape) {
        (Form::Reshaped { .. }, [first, rest @ ..]) => format!("{first}x({})", shape_words(rest)),
        _ => shape_words(shape),
    }
}
