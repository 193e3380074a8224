//! Matrices as textures, which some software adapters read several times as fast as buffers.
//!
//! A texel has four elements, and texels follow each other along rows of `WIDTH`:
//!
//! ```text
//! row 0   texel 0, 1, …, WIDTH - 1
//! row 1   texel WIDTH, WIDTH + 1, …
//! ```

use super::Driver;
use super::memory::Memory;
use crate::{Error, Result};

/// The texels of a row, as in `shaders/lib/matrix_texels.wgsl`: a power of two, because a division for each load costs
/// what the texture gains.
const WIDTH: u32 = 2048;

/// The bytes of a texel.
const TEXEL: u64 = 16;

/// A texture of the driver that holds words; clones share it.
pub(in crate::device) type Texels = Memory<Texture>;

#[derive(Debug)]
pub(in crate::device) struct Texture {
    raw: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
    pub(in crate::device) bytes: u64,
}

/// The most bytes of a texture of a device with these limits.
pub(super) fn most_bytes(limits: &wgpu::Limits) -> u64 {
    let side = limits.max_texture_dimension_2d;
    if side < WIDTH { 0 } else { u64::from(side) * u64::from(WIDTH) * TEXEL }
}

/// A rectangle of texels that follow each other.
#[derive(Debug, PartialEq, Eq)]
struct Region {
    /// The number of texels before.
    before: u32,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// The rectangles that `bytes` from `offset` on make up: the rest of a row, whole rows, a part of a row.
fn regions(offset: u64, bytes: u64) -> Vec<Region> {
    let [first, end] = [offset, offset + bytes].map(|place| (place / TEXEL) as u32);
    let (mut found, mut at) = (Vec::new(), first);
    while at < end {
        let (x, y, left) = (at % WIDTH, at / WIDTH, end - at);
        let part = x > 0 || left < WIDTH;
        let (width, height) = if part { (left.min(WIDTH - x), 1) } else { (WIDTH, left / WIDTH) };
        found.push(Region { before: at - first, x, y, width, height });
        at += width * height;
    }
    found
}

impl Region {
    fn size(&self) -> wgpu::Extent3d {
        wgpu::Extent3d { width: self.width, height: self.height, depth_or_array_layers: 1 }
    }

    /// The place in a texture.
    fn within<'a>(&self, texture: &'a wgpu::Texture) -> wgpu::TexelCopyTextureInfo<'a> {
        let origin = wgpu::Origin3d { x: self.x, y: self.y, z: 0 };
        wgpu::TexelCopyTextureInfo { texture, mip_level: 0, origin, aspect: wgpu::TextureAspect::All }
    }

    /// The place in bytes that have the texels one after the other.
    fn layout(&self) -> wgpu::TexelCopyBufferLayout {
        let bytes_per_row = (self.height > 1).then_some(WIDTH * TEXEL as u32);
        wgpu::TexelCopyBufferLayout { offset: u64::from(self.before) * TEXEL, bytes_per_row, rows_per_image: None }
    }
}

impl Driver {
    /// A zeroed texture for so many bytes, a multiple of those of a texel.
    pub(in crate::device) fn texels(&self, operation: &'static str, bytes: u64) -> Result<Texels> {
        self.check(operation)?;
        let texels = (bytes / TEXEL) as u32;
        let size = wgpu::Extent3d {
            width: texels.clamp(1, WIDTH),
            height: texels.div_ceil(WIDTH).max(1),
            depth_or_array_layers: 1,
        };
        let usage =
            wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC | wgpu::TextureUsages::COPY_DST;
        let made = self.guarded(operation, || {
            let raw = self.device.create_texture(&wgpu::TextureDescriptor {
                label: Some(operation),
                size,
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba32Float,
                usage,
                view_formats: &[],
            });
            let view = raw.create_view(&wgpu::TextureViewDescriptor::default());
            Texture { raw, view, bytes }
        });
        let texture = made.map_err(|error| match error {
            Error::OutOfMemory { operation, .. } => Error::OutOfMemory { operation, bytes },
            other => other,
        })?;
        self.counters.buffers.add(1);
        Ok(Texels::new(texture))
    }

    /// Writes whole texels.
    pub(in crate::device) fn write_texels(
        &self,
        operation: &'static str,
        texels: &Texels,
        offset: u64,
        data: &[u8],
    ) -> Result<()> {
        self.guarded(operation, || {
            for region in regions(offset, data.len() as u64) {
                let to = region.within(&texels.raw().raw);
                self.queue.write_texture(to, data, region.layout(), region.size());
            }
        })
    }
}

/// Copies whole texels to the start of a buffer.
pub(super) fn copy(
    encoder: &mut wgpu::CommandEncoder,
    texels: &Texels,
    (offset, bytes): (u64, u64),
    to: &wgpu::Buffer,
) {
    for region in regions(offset, bytes) {
        let from = region.within(&texels.raw().raw);
        let to = wgpu::TexelCopyBufferInfo { buffer: to, layout: region.layout() };
        encoder.copy_texture_to_buffer(from, to, region.size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_cover_the_texels_in_order() {
        let wide = u64::from(WIDTH);
        for (first, count) in [(0, 1), (0, wide), (5, 7), (5, wide), (wide - 1, 2 * wide + 2), (3 * wide, 5 * wide + 9)]
        {
            let mut next = first;
            for region in regions(first * TEXEL, count * TEXEL) {
                assert_eq!(u64::from(region.y * WIDTH + region.x), next);
                assert_eq!(u64::from(region.before), next - first);
                assert!(region.x + region.width <= WIDTH && (region.height == 1 || region.width == WIDTH));
                next += u64::from(region.width * region.height);
            }
            assert_eq!(next, first + count);
        }
        assert!(regions(32, 0).is_empty());
    }

    #[test]
    fn the_shader_has_the_same_width() {
        let text = include_str!("../../../shaders/lib/matrix_texels.wgsl");
        assert!(text.contains(&format!("index & {}u, index >> {}u", WIDTH - 1, WIDTH.ilog2())), "{text}");
    }
}
