//! Which adapter: explicit, then `OPNORM_ADAPTER`, then discrete, integrated, software.

use super::Capabilities;
use crate::{Error, Result};

/// Which adapter to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterRequest {
    /// `OPNORM_ADAPTER` where it is set, else the best there is: discrete, integrated, software.
    #[default]
    Automatic,
    /// Graphics hardware; an error where there is only a software adapter.
    Hardware,
    /// The first adapter whose back end is this word, or whose name contains it; letter case does not matter.
    Named(String),
}

/// One adapter of this machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AdapterDescription {
    /// The limits that the library would work within on this adapter.
    pub capabilities: Capabilities,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// The feature or limit that the adapter lacks, where it cannot be used.
    pub lacks: Option<String>,
    /// Whether [`AdapterRequest::Automatic`] would take it.
    pub chosen: bool,
}

pub(super) fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // Validation layers of the driver belong to its own debugging, not to a user's program.
    descriptor.flags = wgpu::InstanceFlags::empty() | wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL;
    wgpu::Instance::new(descriptor)
}

/// Every adapter of this machine, best first, with the one that a plain [`super::Gpu::new`] takes marked.
pub fn adapters() -> Vec<AdapterDescription> {
    let found = enumerate(&instance());
    let chosen = choose(&AdapterRequest::Automatic, &found).ok();
    let described = found.iter().enumerate().map(|(index, adapter)| {
        let info = adapter.get_info();
        AdapterDescription {
            capabilities: Capabilities::new(&info, &adapter.limits()),
            kind: kind(info.device_type),
            lacks: lacks(adapter.features(), &adapter.limits()),
            chosen: chosen == Some(index),
        }
    });
    described.collect()
}

pub(super) fn enumerate(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    found.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    found
}

/// The index of the adapter that answers a request, in a list that is best first.
pub(super) fn choose(request: &AdapterRequest, found: &[wgpu::Adapter]) -> Result<usize> {
    let described: Vec<_> = found
        .iter()
        .map(|adapter| {
            let info = adapter.get_info();
            Candidate {
                name: info.name.to_lowercase(),
                backend: info.backend.to_str().to_lowercase(),
                software: info.device_type == wgpu::DeviceType::Cpu,
                usable: lacks(adapter.features(), &adapter.limits()).is_none(),
            }
        })
        .collect();
    let from_environment = std::env::var("OPNORM_ADAPTER").ok().filter(|value| !value.trim().is_empty());
    match (request, from_environment) {
        (AdapterRequest::Automatic, Some(name)) => pick(&AdapterRequest::Named(name), &described, " (OPNORM_ADAPTER)"),
        _ => pick(request, &described, ""),
    }
}

struct Candidate {
    name: String,
    backend: String,
    software: bool,
    usable: bool,
}

fn pick(request: &AdapterRequest, found: &[Candidate], origin: &str) -> Result<usize> {
    let first = |accepts: &dyn Fn(&Candidate) -> bool| found.iter().position(|one| one.usable && accepts(one));
    let (index, wanted) = match request {
        AdapterRequest::Automatic => (first(&|_| true), "was found".to_string()),
        AdapterRequest::Hardware => (first(&|one| !one.software), "that is hardware was found".to_string()),
        AdapterRequest::Named(name) => {
            let word = name.trim().to_lowercase();
            // A back end's name goes first, for `gl` is also a part of "Google SwiftShader".
            let by_backend = first(&|one| one.backend == word);
            let index = by_backend.or_else(|| first(&|one| one.name.contains(&word)));
            (index, format!("matches `{}`{origin}", name.trim()))
        }
    };
    index.ok_or_else(|| {
        let list: Vec<_> = found.iter().map(|one| format!("{} ({})", one.name, one.backend)).collect();
        let tried = if list.is_empty() {
            format!("{}, and none of them has an adapter", enabled_backends())
        } else {
            list.join(", ")
        };
        Error::NoAdapter { wanted, tried }
    })
}

fn enabled_backends() -> String {
    let backends = wgpu::Instance::enabled_backend_features();
    let names: Vec<_> = backends.iter_names().map(|(name, _)| name.to_lowercase()).collect();
    names.join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, backend: &str, software: bool) -> Candidate {
        Candidate { name: name.into(), backend: backend.into(), software, usable: true }
    }

    fn machine() -> Vec<Candidate> {
        vec![
            candidate("geforce rtx", "vulkan", false),
            candidate("google swiftshader", "vulkan", true),
            candidate("llvmpipe", "gl", true),
        ]
    }

    fn named(word: &str) -> AdapterRequest {
        AdapterRequest::Named(word.into())
    }

    #[test]
    fn the_best_adapter_is_the_first_usable_one() {
        let mut found = machine();
        assert_eq!(pick(&AdapterRequest::Automatic, &found, "").unwrap(), 0);
        found[0].usable = false;
        assert_eq!(pick(&AdapterRequest::Automatic, &found, "").unwrap(), 1);
    }

    #[test]
    fn a_back_end_wins_over_a_part_of_a_name() {
        assert_eq!(pick(&named("GL"), &machine(), "").unwrap(), 2);
        assert_eq!(pick(&named("swift"), &machine(), "").unwrap(), 1);
    }

    #[test]
    fn hardware_never_falls_back_to_software() {
        let found = &machine()[1..];
        let error = pick(&AdapterRequest::Hardware, found, "").unwrap_err().to_string();
        assert!(error.contains("hardware") && error.contains("llvmpipe (gl)"), "{error}");
    }

    #[test]
    fn an_unknown_name_lists_what_there_is_and_how_to_install() {
        let error = pick(&named("radeon"), &machine(), " (OPNORM_ADAPTER)").unwrap_err().to_string();
        for part in [
            "`radeon` (OPNORM_ADAPTER)",
            "geforce rtx (vulkan)",
            "apt-get install mesa-vulkan-drivers",
            "dnf",
            "pacman",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
        let error = pick(&AdapterRequest::Automatic, &[], "").unwrap_err().to_string();
        assert!(error.contains("vulkan"), "{error}");
    }
}
