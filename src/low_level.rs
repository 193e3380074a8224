//! The kernels of this library, their operations, and their reference implementations.
//!
//! **This module may change in any release**, patch releases too, because the rest of the library is built on its
//! parts. A custom operator may use the library's kernels here. [`Recorder::dispatch_own`] launches any other kernel,
//! and is stable. An operation checks the lengths of its arguments and nothing else: the meaning of a buffer is the
//! caller's.
//!
//! ```
//! use opnorm::low_level::ops::{self, Rows};
//! use opnorm::{Device, device::Buffer};
//! let device = Device::new()?;
//! let left = Buffer::from_slice(&device, "left", &[1f32, 2.0, 3.0])?;
//! let sums: Buffer<f32> = Buffer::zeros(&device, "sums", 1)?;
//! let mut recorder = device.recorder();
//! ops::dot(&mut recorder, Rows { vectors: 1, length: 3 }, &left, &left, &sums)?;
//! let read = recorder.read(&sums)?;
//! recorder.submit()?;
//! assert_eq!(read.wait()?, [14.0]);
//! # Ok::<(), opnorm::Error>(())
//! ```

pub use crate::device::buffer::Binding;
pub use crate::device::field::{Field, Scalar};
pub use crate::device::grid::Grid;
pub use crate::device::kernel::{Access, Generated, Kernel};

use crate::Result;
use crate::device::Recorder;

/// Operations, each with a kernel: checks of shapes, and dispatches.
pub mod ops {
    pub use crate::ops::*;
}

/// Reference implementations of the kernels in `f64`, without a device.
pub mod reference {
    pub use crate::reference::*;
}

/// Records a dispatch of a kernel.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] for a wrong number of bindings or bytes of parameters, [`crate::Error::TooLarge`]
/// for a binding or grid past the device's limits, [`crate::Error::Foreign`] for memory of another `Device`,
/// [`crate::Error::OutOfRange`] for a slice past the end, [`crate::Error::Device`] when the driver refuses the kernel.
pub fn dispatch<P: bytemuck::Pod>(
    recorder: &mut Recorder,
    kernel: &'static Kernel,
    grid: Grid,
    params: &P,
    bindings: &[Binding],
) -> Result<()> {
    recorder.dispatch(kernel, grid, params, bindings)
}
