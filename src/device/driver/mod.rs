//! Devices that `wgpu` drives: the only folder that names `wgpu`.

mod adapters;
mod binding;
mod buffer;
mod building;
mod compiled;
mod encoding;
mod foreign;
mod groups;
mod guard;
mod handles;
mod lookup;
mod memory;
mod opening;
mod pipelines;
mod reading;
mod scope;
mod scoped;
mod staging;
mod stored;
mod texels;
mod trial;
mod waiter;
mod waiting;

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use self::compiled::Compiled;
use self::groups::Groups;
use self::pipelines::Pipelines;
use self::staging::Staging;
use self::waiter::Waiter;
use super::counters::Counters;
use super::faults::Faults;
use super::kernel::UNIFORM_BYTES;
use crate::Result;

pub(super) use adapters::{Found, enabled_backends, enumerate};
pub(super) use encoding::{Command, Encoding, dispatch};
pub(super) use memory::Memory;
pub(super) use opening::open;
pub(super) use reading::Reading;
pub(super) use texels::Texels;
pub(super) use waiting::block_on;
pub use wgpu::Buffer as WgpuBuffer;

/// A device of `wgpu` with its queue, and the pipelines, bind groups, staging memory and thread made for it.
pub(super) struct Driver {
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// Whether the device was handed in, so that another `Device` may be of the same.
    pub(super) handed_in: bool,
    /// Whether shaders keep their run-time bounds checks.
    pub(super) checked: bool,
    faults: Arc<Faults>,
    counters: Arc<Counters>,
    /// Bound where a kernel is to read nothing.
    placeholder: Memory,
    /// The copy of an input that a kernel reads in uniform memory.
    uniform: Memory,
    /// The most dynamic offsets of a pipeline layout, and the most bytes of a binding.
    dynamic: usize,
    binding_bytes: u64,
    /// The most threads that make pipelines side by side.
    threads: usize,
    pipelines: Pipelines,
    compiled: Option<Compiled>,
    groups: Arc<Groups>,
    staging: Staging,
    waiter: Waiter,
}

impl Driver {
    fn new((device, queue): (wgpu::Device, wgpu::Queue), faults: Arc<Faults>, handed_in: bool, checked: bool) -> Self {
        let placeholder = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("placeholder"),
            size: 16,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let uniform = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("uniform"),
            size: UNIFORM_BYTES,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let limits = device.limits();
        // GL has one context, for which threads would wait.
        let is_gl = device.adapter_info().backend == wgpu::Backend::Gl;
        let threads = if is_gl { 0 } else { available_parallelism().map_or(1, NonZero::get) };
        let compiled = if handed_in { None } else { Compiled::of(&device) };
        Self {
            device,
            queue,
            handed_in,
            checked,
            faults,
            counters: Arc::default(),
            placeholder: Memory::new(placeholder),
            uniform: Memory::new(uniform),
            dynamic: limits.max_dynamic_storage_buffers_per_pipeline_layout as usize,
            binding_bytes: limits.max_storage_buffer_binding_size,
            threads,
            compiled,
            pipelines: Pipelines::default(),
            groups: Arc::default(),
            staging: Staging::default(),
            waiter: Waiter::default(),
        }
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Memory to bind where a kernel is to read nothing.
    pub(super) fn placeholder(&self) -> &Memory {
        &self.placeholder
    }

    /// Returns a fault that the driver reported since the last call.
    pub(super) fn check(&self, operation: &str) -> Result<()> {
        // A device that was destroyed tells its handler no sooner than at a poll, which does not wait here.
        let _ = self.device.poll(wgpu::PollType::Poll);
        self.faults.check(operation)
    }
}
