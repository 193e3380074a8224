//! Building of compute pipelines from the texts of kernels.

/// All that a pipeline is made from.
pub(super) struct Recipe {
    pub(super) device: wgpu::Device,
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) layout: wgpu::PipelineLayout,
    /// Invocations of a workgroup, for a kernel of this library.
    pub(super) lanes: Option<u32>,
    /// Whether the shader keeps its run-time bounds checks.
    pub(super) checked: bool,
    pub(super) cache: Option<wgpu::PipelineCache>,
}

impl Recipe {
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
