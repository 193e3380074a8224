//! Tensors in files: safetensors and PyTorch's zip archives (one file or shards), numpy's `.npy` and `.npz`, sparse
//! matrices of scipy and Matrix Market.
//!
//! [`Checkpoint`] reads all formats. It tells the format by the bytes of the file, lists the tensors without reading
//! their data, and gives a [`TensorView`] of one tensor at a time over the memory-mapped file.
//!
//! A file is never trusted. Every length that a file claims is checked against its bytes before anything is allocated
//! or sliced. A claim that cannot be true is an [`Error::File`] that names the file, the tensor and the numbers.
//!
//! ```no_run
//! # fn main() -> opnorm::Result<()> {
//! let checkpoint = opnorm::io::Checkpoint::open("model.safetensors")?;
//! for entry in checkpoint.entries() {
//!     if let Some(reason) = entry.skipped() {
//!         println!("{}: {reason}", entry.name);
//!         continue;
//!     }
//!     let mut values = vec![0.0; entry.elements()];
//!     checkpoint.read(entry)?.copy_f32(0, &mut values)?;
//! }
//! # Ok(())
//! # }
//! ```

mod atomic_file;
mod checkpoint;
mod complex;
mod contents;
mod decode;
mod directory;
mod element;
mod encode;
mod entry;
mod format;
mod integer;
mod metadata;
mod problem;
mod read_integers;
mod read_sparse;
mod shape;
mod source;
mod sparse;
#[cfg(any(feature = "io-npy", feature = "io-mtx"))]
mod sparse_entry;
mod tiny;
mod view;

#[cfg(feature = "io-safetensors")]
mod members;
#[cfg(feature = "io-safetensors")]
mod part;
#[cfg(feature = "io-safetensors")]
mod safetensors;
#[cfg(feature = "io-safetensors")]
mod safetensors_writer;
#[cfg(feature = "io-safetensors")]
mod shards;

#[cfg(feature = "io-npy")]
mod archive;
#[cfg(feature = "io-npy")]
mod joined;
#[cfg(feature = "io-pytorch")]
mod pickle;
#[cfg(feature = "io-pytorch")]
mod pytorch;
#[cfg(feature = "io-npy")]
mod recovered;

#[cfg(feature = "io-npy")]
mod npy;
#[cfg(feature = "io-npy")]
mod npy_header;
#[cfg(feature = "io-npy")]
mod npy_literal;
#[cfg(feature = "io-npy")]
mod npy_type;
#[cfg(feature = "io-npy")]
mod npy_writer;
#[cfg(feature = "io-npy")]
mod npz;
#[cfg(feature = "io-npy")]
mod npz_writer;
#[cfg(feature = "io-npy")]
mod raw;
mod scipy;

#[cfg(feature = "io-mtx")]
mod matrix_market;

use std::path::Path;

use crate::Error;

pub use checkpoint::Checkpoint;
pub use element::Element;
pub use entry::Entry;
pub use format::Format;
#[cfg(feature = "io-npy")]
pub use npy_writer::{NpyWriter, write_npy_f32, write_npy_f64};
#[cfg(feature = "io-npy")]
pub use npz_writer::{NpzData, write_npz};
#[cfg(feature = "io-safetensors")]
pub use safetensors_writer::{SafetensorsWriter, TensorHeader};
pub use view::TensorView;

#[cfg(feature = "io")]
pub(crate) use complex::{Embedded, Magnitudes};
#[cfg(feature = "io-safetensors")]
pub(crate) use encode::encode;
#[cfg(feature = "io")]
pub(crate) use tiny::fp4_values;

use problem::{Fault, Problem};

/// The error for a whole file.
fn file_error(path: &Path, problem: impl Into<Problem>) -> Error {
    let Problem { words, source } = problem.into();
    Error::File { path: path.to_path_buf(), tensor: None, problem: words, source }
}

/// The error for a whole file that another error caused.
fn file_fault(path: &Path, problem: &str, source: impl Into<Fault>) -> Error {
    file_error(path, Problem::caused_by(problem, source))
}

/// The error for one tensor of a file.
fn tensor_error(path: &Path, tensor: &str, problem: impl Into<Problem>) -> Error {
    let Problem { words, source } = problem.into();
    Error::File { path: path.to_path_buf(), tensor: Some(tensor.to_owned()), problem: words, source }
}

/// The error for one tensor of a file that another error caused.
fn tensor_fault(path: &Path, tensor: &str, problem: &str, source: impl Into<Fault>) -> Error {
    tensor_error(path, tensor, Problem::caused_by(problem, source))
}
