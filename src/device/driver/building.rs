//! Building of compute pipelines from the texts of kernels.

use super::Driver;
use super::binding::is_dynamic;
use super::compiled::Compiled;
use crate::device::kernel::{Access, Shader};

/// All that a pipeline is made from.
pub(super) struct Recipe {
    device: wgpu::Device,
    name: &'static str,
    text: String,
    layout: wgpu::PipelineLayout,
    /// Invocations of a workgroup, for a kernel of this library.
    lanes: Option<u32>,
    /// Whether the shader keeps its run-time bounds checks.
    checked: bool,
    cache: Option<wgpu::PipelineCache>,
}

/// The layout of the bindings of a kernel, and the recipe of its pipeline.
pub(super) fn recipe(driver: &Driver, lanes: u32, kernel: Shader<'_>) -> (wgpu::BindGroupLayout, Recipe) {
    let (device, name, count) = (&driver.device, kernel.name(), kernel.access().len());
    let entry = |(binding, access): (u32, &Access)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only: *access == Access::Read },
            has_dynamic_offset: is_dynamic(binding as usize, count, driver.dynamic),
            min_binding_size: None,
        },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(kernel.access()).map(entry).collect();
    let layout =
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(name), entries: &entries });
    let of_pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: kernel.params(),
    });
    let recipe = Recipe {
        device: device.clone(),
        name,
        text: kernel.text().into_owned(),
        layout: of_pipeline,
        lanes: kernel.is_trusted().then_some(lanes),
        checked: driver.checked || !kernel.is_trusted(),
        cache: driver.compiled.as_ref().map(Compiled::for_another).cloned(),
    };
    (layout, recipe)
}

impl Recipe {
    pub(super) fn device(&self) -> &wgpu::Device {
        &self.device
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Makes the pipeline.
    pub(super) fn make(&self) -> wgpu::ComputePipeline {
        let lanes = self.lanes.map(|lanes| ("LANES", f64::from(lanes)));
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(self.name),
            layout: Some(&self.layout),
            module: &self.module(),
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: lanes.as_slice(),
                zero_initialize_workgroup_memory: lanes.is_none(),
            },
            cache: self.cache.as_ref(),
        })
    }

    fn module(&self) -> wgpu::ShaderModule {
        let source = wgpu::ShaderSource::Wgsl(self.text.as_str().into());
        let descriptor = wgpu::ShaderModuleDescriptor { label: Some(self.name), source };
        match self.checked {
            true => self.device.create_shader_module(descriptor),
            false => trusted(&self.device, descriptor),
        }
    }
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
