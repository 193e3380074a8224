//! Building of compute pipelines from the texts of kernels.

use std::sync::Arc;

use super::Driver;
use super::binding::is_dynamic;
use super::compiled::Compiled;
use super::pipelines::Pipeline;
use crate::Result;
use crate::device::kernel::{Access, Shader};

impl Driver {
    /// The pipeline of a kernel, built at the first call.
    pub(super) fn pipeline(&self, lanes: u32, kernel: Shader<'_>) -> Result<Arc<Pipeline>> {
        self.pipelines.get(kernel.key(), |number| {
            let pipeline = self.guarded(kernel.name(), || build(self, (number, lanes), kernel))?;
            self.counters.pipelines.add(1);
            Ok(pipeline)
        })
    }
}

fn build(driver: &Driver, (number, lanes): (usize, u32), kernel: Shader<'_>) -> Pipeline {
    let device = &driver.device;
    let count = kernel.access().len();
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
    let layout = device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(kernel.name()), entries: &entries });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(kernel.name()),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: kernel.params(),
    });
    let lanes = [("LANES", f64::from(lanes))];
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(kernel.name()),
        layout: Some(&pipeline_layout),
        module: &module(driver, kernel),
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: if kernel.is_trusted() { &lanes } else { &[] },
            zero_initialize_workgroup_memory: !kernel.is_trusted(),
        },
        cache: driver.compiled.as_ref().map(Compiled::for_another),
    });
    Pipeline { number, pipeline, layout }
}

fn module(driver: &Driver, kernel: Shader<'_>) -> wgpu::ShaderModule {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(kernel.name()), source: wgpu::ShaderSource::Wgsl(kernel.text()) };
    if driver.checked || !kernel.is_trusted() {
        return driver.device.create_shader_module(descriptor);
    }
    trusted(&driver.device, descriptor)
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
