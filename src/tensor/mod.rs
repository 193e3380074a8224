//! Tensors and matrices in device memory.

mod dense;
mod encoder;
mod fill;
pub(crate) mod look;
mod matrix;
mod panel;
mod placement;
mod position;
pub(crate) mod screen;
pub(crate) mod size;
mod sliding;
mod sparse_entries;
mod storage;
pub(crate) mod stored;
mod upload;
mod window;
#[cfg(feature = "faer")]
mod with_faer;
#[cfg(feature = "ndarray")]
mod with_ndarray;

pub use dense::Tensor;
pub use matrix::Matrix;
pub use panel::Panel;
pub use placement::{Conv2dOptions, Pool2dOptions};
pub use position::Position;
pub use sliding::SlidingSizes;
pub use sparse_entries::SparseEntries;
pub use storage::{Element, ElementSource, SourceElement, Storage};

pub(crate) use panel::{Place, cut};
pub(crate) use size::{elements, volume};
#[cfg(any(feature = "io-npy", feature = "io-mtx"))]
pub(crate) use sparse_entries::Placed;
pub(crate) use window::Window;
