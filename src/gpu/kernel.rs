//! Kernels: WGSL texts, and the pipelines made from them, each made once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Gpu, guarded};
use crate::Result;

/// How a kernel touches a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The kernel only reads it.
    Read,
    /// The kernel writes it, and may read it.
    Write,
}

/// One compute shader: its text in parts, and how it touches its bindings, in order.
#[derive(Debug)]
pub struct Kernel {
    /// Its name, which no other kernel has: the stem, and what sets it apart from others of the same file.
    pub name: &'static str,
    /// The stem of the shader's file.
    pub stem: &'static str,
    /// The parts of the text: shared functions first, the entry point `main` last.
    pub source: &'static [&'static str],
    /// One entry a binding of group 0.
    pub access: &'static [Access],
    /// The size of `var<immediate> params`, in bytes.
    pub params: u32,
}

impl Kernel {
    /// The whole text of the shader.
    pub fn text(&self) -> String {
        self.source.concat()
    }
}

#[derive(Clone)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

#[derive(Default)]
pub(super) struct Pipelines {
    made: Mutex<HashMap<&'static str, Arc<Pipeline>>>,
}

impl Pipelines {
    pub(super) fn get(&self, gpu: &Gpu, kernel: &'static Kernel) -> Result<Arc<Pipeline>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = made.get(kernel.name) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(guarded(gpu, kernel.name, || build(gpu, kernel))?);
        made.insert(kernel.name, Arc::clone(&pipeline));
        Ok(pipeline)
    }
}

fn build(gpu: &Gpu, kernel: &Kernel) -> Pipeline {
    let device = gpu.device();
    let entry = |(binding, access): (u32, &Access)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only: *access == Access::Read },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(kernel.access).map(entry).collect();
    let layout = device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(kernel.name), entries: &entries });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(kernel.name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: kernel.params,
    });
    let lanes = f64::from(gpu.capabilities().profile.lanes);
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(kernel.name),
        layout: Some(&pipeline_layout),
        module: &module(gpu, kernel),
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &[("LANES", lanes)],
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
    Pipeline { pipeline, layout }
}

fn module(gpu: &Gpu, kernel: &Kernel) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(kernel.name),
        source: wgpu::ShaderSource::Wgsl(kernel.text().into()),
    };
    if gpu.is_checked() {
        return gpu.device().create_shader_module(descriptor);
    }
    trusted(gpu.device(), descriptor)
}

#[expect(
    unsafe_code,
    reason = "skips run-time checks (1.9x on SwiftShader) for the shaders of this crate alone: each guards its own \
              indices and bounds its own loops, and the test suite runs every one of them checked as well"
)]
fn trusted(device: &wgpu::Device, descriptor: wgpu::ShaderModuleDescriptor<'_>) -> wgpu::ShaderModule {
    // SAFETY: the text is one of this crate's shaders, whose indices and loops stay within the bindings that
    // `src/ops` checks before each dispatch.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}
