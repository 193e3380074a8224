//! Tensors and matrices in device memory.

mod dense;
mod matrix;
mod panel;
pub(crate) mod screen;
mod size;
mod storage;
mod upload;
mod window;

pub use dense::Tensor;
pub use matrix::{Matrix, Position};
pub use panel::Panel;
pub use storage::{Element, ElementSource, SourceElement, Storage};

pub(crate) use size::{elements, volume};
pub(crate) use window::Window;
