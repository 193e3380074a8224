//! Memory bound to a kernel: a bind group that is kept, and the dynamic offsets that differ from step to step.

use std::sync::Arc;

use super::Driver;
use super::groups::{Groups, Key, Part};
use super::memory::Memory;
use super::pipelines::Pipeline;
use super::texels::Texels;
use crate::device::buffer::Binding;
use crate::device::kernel::{Access, Shader, UNIFORM_BYTES};
use crate::device::memory::Memory as Either;
use crate::{Error, Result};

/// A bind group, and the offsets of its dynamic bindings in order.
pub(super) type Bound = (wgpu::BindGroup, Box<[u32]>);

/// Memory of either form.
enum Resource<'a> {
    Buffer(&'a Memory),
    Texels(&'a Texels),
}

impl Resource<'_> {
    fn reports_to(&self, groups: &Arc<Groups>) -> bool {
        match self {
            Self::Buffer(memory) => memory.reports_to(groups),
            Self::Texels(texels) => texels.reports_to(groups),
        }
    }
}

/// The error for memory of the other form.
fn unsuitable(operation: &'static str, access: Access) -> Error {
    let (texture, buffer) = ("a matrix that was uploaded as a texture", "memory in a buffer");
    let (expected, found) = if access == Access::Texels { (texture, buffer) } else { (buffer, texture) };
    Error::ShapeMismatch { operation, expected: expected.to_string(), found: found.to_string() }
}

/// Whether a binding has a dynamic offset, where a layout may have `most` of them.
///
/// The first bindings have, which are the vectors of a step, and the last, which is the result.
pub(super) fn is_dynamic(binding: usize, count: usize, most: usize) -> bool {
    count <= most || binding + 1 < most || (binding + 1 == count && most > 0)
}

impl Driver {
    /// The memory of a launch, bound for a pipeline.
    pub(super) fn bind(&self, pipeline: &Pipeline, kernel: Shader<'_>, bindings: &[Binding]) -> Result<Bound> {
        let exact = self.checked || !kernel.is_trusted();
        let (mut resources, mut parts, mut offsets) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (binding, access)) in bindings.iter().zip(kernel.access()).enumerate() {
            match (access, &binding.memory) {
                (Access::Read | Access::Write, Either::Driver(memory)) => {
                    let offset = u32::try_from(binding.offset).ok();
                    let is_dynamic = is_dynamic(index, bindings.len(), self.dynamic);
                    if is_dynamic {
                        offsets.push(offset.unwrap_or(0));
                    }
                    let fixed = if is_dynamic && offset.is_some() { 0 } else { binding.offset };
                    let bytes = if exact { binding.bytes } else { self.visible(binding, memory) };
                    resources.push(Resource::Buffer(memory));
                    parts.push(Part { memory: memory.number(), offset: fixed, bytes });
                }
                (Access::Uniform, Either::Driver(_)) => {
                    resources.push(Resource::Buffer(&self.uniform));
                    parts.push(Part { memory: self.uniform.number(), offset: 0, bytes: UNIFORM_BYTES });
                }
                (Access::Texels, Either::Texels(texels)) => {
                    resources.push(Resource::Texels(texels));
                    parts.push(Part { memory: texels.number(), offset: 0, bytes: texels.raw().bytes });
                }
                _ => return Err(unsuitable(kernel.name(), *access)),
            }
        }
        let key = Key { pipeline: pipeline.number, parts };
        let make = |key: &Key| self.make(&pipeline.layout, kernel.name(), &resources, &key.parts);
        // No short cut: all memory must report.
        let reports = resources.iter().filter(|resource| resource.reports_to(&self.groups)).count() == resources.len();
        let group = match reports {
            true => self.groups.get(key, make)?,
            false => make(&key)?,
        };
        Ok((group, offsets.into()))
    }

    /// The bytes that a kernel sees which stays within its binding by itself: the whole memory, where it starts there,
    /// so that scratch memory of changing lengths has one bind group.
    fn visible(&self, binding: &Binding, memory: &Memory) -> u64 {
        match binding.offset {
            0 => (memory.raw().size() & !3).min(self.binding_bytes).max(binding.bytes),
            _ => binding.bytes,
        }
    }

    fn make(
        &self,
        layout: &wgpu::BindGroupLayout,
        name: &'static str,
        resources: &[Resource<'_>],
        parts: &[Part],
    ) -> Result<wgpu::BindGroup> {
        let bound = resources.iter().zip(parts).map(|(resource, part)| match resource {
            Resource::Buffer(memory) => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: memory.raw(),
                offset: part.offset,
                size: std::num::NonZeroU64::new(part.bytes),
            }),
            Resource::Texels(texels) => wgpu::BindingResource::TextureView(&texels.raw().view),
        });
        let entries: Vec<_> =
            (0..).zip(bound).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let descriptor = wgpu::BindGroupDescriptor { label: Some(name), layout, entries: &entries };
        let group = self.guarded(name, || self.device.create_bind_group(&descriptor))?;
        self.counters.bind_groups.add(1);
        Ok(group)
    }
}

#[cfg(test)]
mod tests {
    use super::is_dynamic;

    #[test]
    fn the_first_bindings_and_the_last_are_dynamic() {
        let dynamic = |count: usize, most: usize| -> Vec<usize> {
            (0..count).filter(|binding| is_dynamic(*binding, count, most)).collect()
        };
        assert_eq!(dynamic(6, 4), [0, 1, 2, 5]);
        assert_eq!(dynamic(4, 4), [0, 1, 2, 3]);
        assert_eq!(dynamic(3, 8), [0, 1, 2]);
        assert_eq!(dynamic(3, 1), [2]);
        assert!(dynamic(3, 0).is_empty());
    }
}
