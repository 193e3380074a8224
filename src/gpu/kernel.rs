//! Kernels: WGSL texts, and the pipelines that are made from the texts once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Gpu;
use super::field::Field;
use super::guard::guarded;
use super::own::OwnKernel;
use crate::Result;

/// The access of a kernel to a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The kernel only reads the binding.
    Read,
    /// The kernel writes the binding, and may read it.
    Write,
}

/// One compute shader: its text in parts, its accesses to bindings, and its parameters.
#[derive(Debug)]
pub struct Kernel {
    /// The name, which is unique: the stem, and a suffix where several kernels share a file.
    pub name: &'static str,
    /// The stem of the shader's file.
    pub stem: &'static str,
    /// The parts of the text: shared functions first, the entry point `main` last.
    pub source: &'static [&'static str],
    /// One entry a binding of group 0.
    pub access: &'static [Access],
    /// The fields of `var<immediate> params`, in order.
    pub params: &'static [Field],
}

impl Kernel {
    /// The whole text of the shader.
    pub fn text(&self) -> String {
        self.source.concat()
    }
}

/// A compute shader that was written at run time, without a file; its text identifies it.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The name in errors, which several kernels may share.
    pub name: &'static str,
    /// The whole text, with the entry point `main`.
    pub text: String,
    /// One entry a binding of group 0.
    pub access: Vec<Access>,
    /// The fields of `var<immediate> params`, in order.
    pub params: Vec<Field>,
}

/// The most bindings of either kind of an [`OwnKernel`].
const MOST: usize = 16;

/// Bindings that are read, then bindings that are written: an [`OwnKernel`] has a part of these.
static READ_THEN_WRITTEN: [Access; 2 * MOST] = {
    let mut access = [Access::Read; 2 * MOST];
    let mut place = MOST;
    while place < 2 * MOST {
        access[place] = Access::Write;
        place += 1;
    }
    access
};

/// A kernel of any kind.
#[derive(Clone, Copy)]
pub(super) enum Shader<'a> {
    File(&'a Kernel),
    Generated(&'a Generated),
    Own(&'a OwnKernel),
}

impl Shader<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::File(kernel) => kernel.name,
            Self::Generated(kernel) => kernel.name,
            Self::Own(kernel) => kernel.name(),
        }
    }

    pub(super) fn access(&self) -> &[Access] {
        match self {
            Self::File(kernel) => kernel.access,
            Self::Generated(kernel) => &kernel.access,
            Self::Own(kernel) => {
                let (reads, writes) = kernel.bindings();
                &READ_THEN_WRITTEN[MOST - reads.min(MOST)..MOST + writes.min(MOST)]
            }
        }
    }

    /// The size of the parameters, in bytes.
    pub(super) fn params(&self) -> u32 {
        match self {
            Self::File(kernel) => Field::bytes(kernel.params),
            Self::Generated(kernel) => Field::bytes(&kernel.params),
            Self::Own(kernel) => kernel.params(),
        }
    }

    /// The key of the shader's pipeline: the name of a kernel of this library, the text of any other.
    fn key(&self) -> &str {
        match self {
            Self::File(kernel) => kernel.name,
            Self::Generated(kernel) => &kernel.text,
            Self::Own(kernel) => kernel.source(),
        }
    }

    /// Whether the shader is of this library, which states and tests that its indices and loops stay within bounds.
    fn is_trusted(&self) -> bool {
        !matches!(self, Self::Own(_))
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::File(kernel) => kernel.text().into(),
            Self::Generated(kernel) => kernel.text.as_str().into(),
            Self::Own(kernel) => kernel.source().into(),
        }
    }
}

#[derive(Clone)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

#[derive(Default)]
pub(super) struct Pipelines {
    made: Mutex<HashMap<String, Arc<Pipeline>>>,
}

impl Pipelines {
    pub(super) fn get(&self, gpu: &Gpu, kernel: Shader<'_>) -> Result<Arc<Pipeline>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = made.get(kernel.key()) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(guarded(gpu, kernel.name(), || build(gpu, kernel))?);
        made.insert(kernel.key().to_string(), Arc::clone(&pipeline));
        Ok(pipeline)
    }
}

fn build(gpu: &Gpu, kernel: Shader<'_>) -> Pipeline {
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
    let entries: Vec<_> = (0..).zip(kernel.access()).map(entry).collect();
    let layout = device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(kernel.name()), entries: &entries });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(kernel.name()),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: kernel.params(),
    });
    let lanes = [("LANES", f64::from(gpu.capabilities().profile.lanes))];
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(kernel.name()),
        layout: Some(&pipeline_layout),
        module: &module(gpu, kernel),
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: if kernel.is_trusted() { &lanes } else { &[] },
            zero_initialize_workgroup_memory: !kernel.is_trusted(),
        },
        cache: None,
    });
    Pipeline { pipeline, layout }
}

fn module(gpu: &Gpu, kernel: Shader<'_>) -> wgpu::ShaderModule {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(kernel.name()), source: wgpu::ShaderSource::Wgsl(kernel.text()) };
    if gpu.is_checked() || !kernel.is_trusted() {
        return gpu.device().create_shader_module(descriptor);
    }
    trusted(gpu.device(), descriptor)
}

#[expect(
    unsafe_code,
    reason = "skips run-time checks (1.9x on SwiftShader) for the shaders of this crate alone: each guards its own \
              indices and bounds its own loops, and the test suite runs every one of them checked as well; what `ops::fused` \
              writes has no other index than ones below the lengths that it checks, and no loop but those of its parts"
)]
fn trusted(device: &wgpu::Device, descriptor: wgpu::ShaderModuleDescriptor<'_>) -> wgpu::ShaderModule {
    // SAFETY: the text is one of this crate's shaders, whose indices and loops stay within the bindings that
    // `src/ops` checks before each dispatch.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}
