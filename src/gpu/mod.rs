//! The device: the only folder that names `wgpu`.
//!
//! A [`Gpu`] is an adapter's device with its queue, its limits and the kernels made for it so far. Clones share it.

mod adapter;
pub(crate) mod buffer;
mod capabilities;
mod counters;
mod device;
mod facts;
mod faults;
pub(crate) mod field;
mod foreign;
pub(crate) mod grid;
mod guard;
pub(crate) mod kernel;
mod open;
mod own;
mod pool;
mod readback;
mod recorded;
mod recorder;
mod scope;
mod step;
mod trial;
mod waiting;

pub use adapter::{AdapterDescription, AdapterRequest, adapters};
pub use buffer::Buffer;
pub use capabilities::{Capabilities, Profile};
pub use counters::Totals;
pub use device::Gpu;
pub(crate) use field::{Field, Scalar};
pub(crate) use grid::Grid;
pub(crate) use kernel::{Access, Generated, Kernel};
pub use open::GpuOptions;
pub use own::OwnKernel;
pub use pool::Scratch;
pub use readback::ReadBack;
pub(crate) use recorded::Recorded;
pub use recorder::Recorder;
pub use step::HostStep;
pub use wgpu::Buffer as DeviceBuffer;
