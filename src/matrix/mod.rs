//! Matrices that kernels make or read: buffers of other programs, copies in another storage.
//!
//! The type itself is in [`crate::tensor`], below the kernels.

mod foreign;
mod rescale;
mod screen;
