//! Devices: of an adapter, which a driver reaches through `wgpu`, or the host.
//!
//! A [`Device`] is a device with its queue, its limits and the kernels made for it so far. Clones share it.

mod adapter;
pub(crate) mod buffer;
mod candidate;
mod capabilities;
mod counters;
mod driver;
mod facts;
mod faults;
pub(crate) mod field;
pub(crate) mod grid;
mod handle;
mod host;
pub(crate) mod kernel;
mod list;
mod memory;
mod open;
mod own;
mod pool;
mod readback;
mod recorded;
mod recorder;
mod step;
mod textures;

pub use adapter::{AdapterRequest, adapters};
pub use buffer::Buffer;
pub use candidate::AdapterDescription;
pub use capabilities::{Capabilities, Profile};
pub use counters::Totals;
pub use driver::WgpuBuffer;
pub(crate) use field::{Field, Scalar};
pub(crate) use grid::Grid;
pub use handle::Device;
#[cfg(feature = "io")]
pub(crate) use host::Lane;
pub(crate) use host::{HostForm, call, each_chunk, each_item, thread_count, with_threads};
pub use host::{OwnForm, Words};
pub(crate) use kernel::{Access, Generated, Kernel, UNIFORM_BYTES};
pub use open::DeviceOptions;
pub use own::OwnKernel;
pub use pool::Scratch;
pub use readback::ReadBack;
pub(crate) use recorded::Recorded;
pub(crate) use recorder::Look;
pub use recorder::Recorder;
pub use step::HostStep;
