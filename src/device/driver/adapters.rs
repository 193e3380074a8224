//! The adapters that `wgpu` finds, and what each of them offers.

use std::sync::LazyLock;

use super::texels;
use crate::device::candidate::{AdapterDescription, Candidate};
use crate::device::{Capabilities, Profile};

/// An adapter of this machine.
pub(in crate::device) struct Found {
    adapter: wgpu::Adapter,
}

/// The instance of every back end but OpenGL, for the process: some drivers run out of instances, or end each other's
/// threads where instances come and go.
static PRIMARY: LazyLock<wgpu::Instance> = LazyLock::new(|| instance(wgpu::Backends::PRIMARY));

/// The instance whose OpenGL adapters are looked at, and never opened. The end of the last instance would end the
/// display of the process, for which some drivers wait for their threads without end.
static LOOKED_AT: LazyLock<wgpu::Instance> = LazyLock::new(|| instance(wgpu::Backends::GL));

fn instance(backends: wgpu::Backends) -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // Validation layers of the driver belong to its own debugging, not to a user's program.
    descriptor.flags = wgpu::InstanceFlags::empty() | wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL;
    descriptor.backends = backends;
    wgpu::Instance::new(descriptor)
}

fn of_instance(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

/// Every adapter of this machine, hardware first; those of OpenGL where they are asked for.
pub(in crate::device) fn enumerate(with_gl: bool) -> Vec<Found> {
    let mut found = of_instance(&PRIMARY);
    if with_gl {
        found.extend(of_instance(&LOOKED_AT));
    }
    found.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    found.into_iter().map(|adapter| Found { adapter }).collect()
}

/// The names of the graphics interfaces that this build of `wgpu` tries.
pub(in crate::device) fn enabled_backends() -> String {
    let backends = wgpu::Instance::enabled_backend_features();
    let names: Vec<_> = backends.iter_names().map(|(name, _)| name.to_lowercase()).collect();
    names.join(", ")
}

impl Found {
    /// The adapter to open: for OpenGL, the same adapter of an instance of its own, because devices of one instance
    /// would share a context.
    pub(super) fn into_adapter(self) -> wgpu::Adapter {
        let info = self.adapter.get_info();
        if info.backend != wgpu::Backend::Gl {
            return self.adapter;
        }
        let mut own = of_instance(&instance(wgpu::Backends::GL)).into_iter();
        own.find(|adapter| adapter.get_info().name == info.name).unwrap_or(self.adapter)
    }

    /// The properties that a choice among adapters looks at.
    pub(in crate::device) fn candidate(&self) -> Candidate {
        let info = self.adapter.get_info();
        Candidate {
            name: info.name.to_lowercase(),
            backend: info.backend.to_str().to_lowercase(),
            software: info.device_type == wgpu::DeviceType::Cpu,
            usable: lacks(self.adapter.features(), &self.adapter.limits()).is_none(),
        }
    }

    /// The description of the adapter, as not chosen.
    pub(in crate::device) fn describe(&self) -> AdapterDescription {
        let info = self.adapter.get_info();
        AdapterDescription {
            capabilities: capabilities(&info, &self.adapter.limits()),
            kind: kind(info.device_type),
            lacks: lacks(self.adapter.features(), &self.adapter.limits()),
            chosen: false,
        }
    }
}

pub(super) fn capabilities(info: &wgpu::AdapterInfo, limits: &wgpu::Limits) -> Capabilities {
    let software = info.device_type == wgpu::DeviceType::Cpu;
    Capabilities {
        name: info.name.clone(),
        backend: info.backend.to_str().to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        software,
        profile: if software { Profile::SOFTWARE } else { Profile::HARDWARE },
        loop_budget: 60_000,
        binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        buffer_bytes: limits.max_buffer_size,
        texture_bytes: texels::most_bytes(limits),
        offset_alignment: u64::from(limits.min_storage_buffer_offset_alignment),
        bindings: limits.max_storage_buffers_per_shader_stage as usize,
        immediate_bytes: limits.max_immediate_size as usize,
        groups_per_dimension: limits.max_compute_workgroups_per_dimension,
    }
}

/// The first feature or limit that every kernel needs and this device lacks.
pub(super) fn lacks(features: wgpu::Features, limits: &wgpu::Limits) -> Option<String> {
    let missing = required_features() - features;
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter_names().map(|(name, _)| name).collect();
        return Some(format!("the feature {}", names.join(", ")));
    }
    let needs = [
        ("max_immediate_size", u64::from(limits.max_immediate_size), 64),
        ("max_storage_buffers_per_shader_stage", u64::from(limits.max_storage_buffers_per_shader_stage), 8),
        ("max_compute_invocations_per_workgroup", u64::from(limits.max_compute_invocations_per_workgroup), 64),
    ];
    let short = needs.iter().find(|(_, has, needed)| has < needed)?;
    Some(format!("{} of {} (it has {})", short.0, short.2, short.1))
}

pub(super) fn required_features() -> wgpu::Features {
    wgpu::Features::IMMEDIATES
}

fn rank(device: wgpu::DeviceType) -> u32 {
    match device {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

fn kind(device: wgpu::DeviceType) -> &'static str {
    match device {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    }
}
