//! Tensors and matrices in device memory.

mod dense;
mod matrix;
mod panel;
pub(crate) mod screen;
mod storage;
mod upload;
mod window;

pub use dense::Tensor;
pub use matrix::{Matrix, Position};
pub use panel::Panel;
pub use storage::{Element, ElementSource, SourceElement, Storage};

pub(crate) use window::Window;

use crate::{Error, Result};

/// The product of the sizes, checked: shapes come from users and files.
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

fn part<T>(data: &[T], first: usize, len: usize) -> Result<&[T]> {
    let end = first.checked_add(len);
    end.and_then(|end| data.get(first..end)).ok_or_else(|| Error::ShapeMismatch {
        operation: "read elements",
        expected: format!("a range within {} elements", data.len()),
        found: format!("{len} from {first} on"),
    })
}
