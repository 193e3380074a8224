//! The pipelines of a driver: looked up by kernels, begun at the first call.

use std::sync::Arc;

use super::Driver;
use super::binding::is_dynamic;
use super::building::Recipe;
use super::compiled::Compiled;
use super::pipelines::Pipeline;
use crate::Result;
use crate::device::kernel::{Access, Shader};

impl Driver {
    /// The pipeline of a kernel, begun at the first call.
    ///
    /// Kernels of a user's own are made at once, so that a refusal names the launch.
    pub(super) fn pipeline(&self, lanes: u32, kernel: Shader<'_>) -> Result<Arc<Pipeline>> {
        self.pipelines.get(kernel.key(), |number, running| {
            let (layout, recipe) = self.guarded(kernel.name(), || recipe(self, lanes, kernel))?;
            self.counters.pipelines.add(1);
            match kernel.is_trusted() && Arc::strong_count(running) <= self.threads {
                true => Ok(Pipeline::begin(number, layout, recipe, running)),
                false => {
                    let pipeline = self.guarded(recipe.name, || recipe.make())?;
                    Ok(Pipeline::made(number, layout, recipe, pipeline))
                }
            }
        })
    }

    /// A pipeline, once it is made; makes one here where its thread was refused, for the error.
    pub(super) fn finished(&self, pipeline: &Pipeline) -> Result<wgpu::ComputePipeline> {
        match pipeline.wait() {
            Ok(pipeline) => Ok(pipeline.clone()),
            Err(recipe) => self.guarded(recipe.name, || recipe.make()),
        }
    }
}

/// The layout of the bindings of a kernel, and the recipe of its pipeline.
fn recipe(driver: &Driver, lanes: u32, kernel: Shader<'_>) -> (wgpu::BindGroupLayout, Recipe) {
    let (device, name, count) = (&driver.device, kernel.name(), kernel.access().len());
    let entry = |(binding, access): (u32, &Access)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: binding_type(*access, is_dynamic(binding as usize, count, driver.dynamic)),
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

/// The type of a binding; buffers that are neither copied nor textures may have a dynamic offset.
fn binding_type(access: Access, has_dynamic_offset: bool) -> wgpu::BindingType {
    let buffer = |ty, has_dynamic_offset| wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None };
    let storage = |read_only| buffer(wgpu::BufferBindingType::Storage { read_only }, has_dynamic_offset);
    match access {
        Access::Read => storage(true),
        Access::Write => storage(false),
        Access::Uniform => buffer(wgpu::BufferBindingType::Uniform, false),
        Access::Texels => wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: false },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
    }
}
