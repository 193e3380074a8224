//! Devices that `wgpu` drives: their handles in and out, their loss, their loops, their read-backs.
//!
//! Where the other tests run on the host, these run on the best adapter there is; without one they fail, and say so.

mod foreign;
mod handles;
mod loops;
mod loss;
mod steady;
mod waiting;

use std::sync::OnceLock;

use bytemuck::cast_slice;
use opnorm::device::{AdapterRequest, DeviceOptions, adapters};
use opnorm::{Device, wgpu};

use crate::device::numbers;

/// A new device that `wgpu` drives: on the adapter of the other tests, or the best where these run on the host.
fn open() -> Device {
    let gpu = Device::new().unwrap();
    if !gpu.is_host() {
        return gpu;
    }
    let found = adapters().into_iter().find(|one| one.kind != "processor" && one.lacks.is_none());
    let found = found.expect("an adapter that wgpu drives: `scripts/setup.sh all` installs them");
    let adapter = AdapterRequest::Named(found.capabilities.name);
    Device::open(&DeviceOptions { adapter, ..DeviceOptions::default() }).unwrap()
}

/// The device of [`open`], opened once.
fn gpu() -> &'static Device {
    static GPU: OnceLock<Device> = OnceLock::new();
    GPU.get_or_init(open)
}

/// A buffer as a program around this library would make it, with `before` bytes ahead of the data.
fn foreign(gpu: &Device, before: usize, data: &[f32]) -> wgpu::Buffer {
    let buffer = gpu.wgpu_device().unwrap().create_buffer(&wgpu::BufferDescriptor {
        label: Some("of the program"),
        size: (before + data.len() * 4) as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.wgpu_queue().unwrap().write_buffer(&buffer, before as u64, cast_slice(data));
    buffer
}

/// A device that a program made itself, on the adapter that the tests run on.
fn device_of_the_program(features: wgpu::Features) -> (wgpu::Device, wgpu::Queue) {
    device_of(&adapter_of_the_program(), features)
}

/// The adapter that the tests run on, by an instance of a program of its own.
fn adapter_of_the_program() -> wgpu::Adapter {
    let wanted = gpu().capabilities();
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = if wanted.backend == "gl" { wgpu::Backends::GL } else { wgpu::Backends::PRIMARY };
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let matches = |info: &wgpu::AdapterInfo| info.name == wanted.name && info.backend.to_str() == wanted.backend;
    adapters.into_iter().find(|adapter| matches(&adapter.get_info())).unwrap()
}

fn device_of(adapter: &wgpu::Adapter, features: wgpu::Features) -> (wgpu::Device, wgpu::Queue) {
    let request = wgpu::DeviceDescriptor {
        required_features: features,
        required_limits: Device::required_limits(adapter),
        ..wgpu::DeviceDescriptor::default()
    };
    pollster::block_on(adapter.request_device(&request)).unwrap()
}
