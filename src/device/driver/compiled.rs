//! Pipelines that the driver compiled, kept from run to run where it hands them out.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::scoped::scoped;
use super::stored;

/// The compiled pipelines of a device, and their file.
#[derive(Debug)]
pub(super) struct Compiled {
    cache: wgpu::PipelineCache,
    path: PathBuf,
    has_news: AtomicBool,
}

impl Compiled {
    /// Those of an earlier run, or none yet; `None` where the driver hands out none, or the user wants none kept.
    pub(super) fn of(device: &wgpu::Device) -> Option<Self> {
        if !device.features().contains(FEATURE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(&device.adapter_info())?;
        let path = stored::path(&format!("{key}-{}.pipelines", env!("CARGO_PKG_VERSION")))?;
        let (cache, refusal) = scoped(device, || create(device, stored::read(&path).as_deref()));
        refusal.is_none().then(|| Self { cache, path, has_news: AtomicBool::new(false) })
    }

    /// The cache for a pipeline that is about to be made.
    pub(super) fn for_another(&self) -> &wgpu::PipelineCache {
        self.has_news.store(true, Ordering::Relaxed);
        &self.cache
    }
}

impl Drop for Compiled {
    /// Keeps the pipelines, unless none was made; without them the next run compiles again, which is no fault.
    fn drop(&mut self) {
        if self.has_news.load(Ordering::Relaxed)
            && let Some(bytes) = self.cache.get_data()
        {
            let _ = stored::write(&self.path, &bytes);
        }
    }
}

/// The feature of an adapter whose driver hands out compiled pipelines.
pub(super) const FEATURE: wgpu::Features = wgpu::Features::PIPELINE_CACHE;

#[expect(
    unsafe_code,
    reason = "wgpu checks the device, driver and length of the bytes, not that a driver wrote them; `stored::read` \
              returns what this library wrote in the user's own folder, by a checksum of all of it"
)]
fn create(device: &wgpu::Device, data: Option<&[u8]>) -> wgpu::PipelineCache {
    let descriptor = wgpu::PipelineCacheDescriptor { label: Some("opnorm"), data, fallback: true };
    // SAFETY: the bytes came from `PipelineCache::get_data`, under the key of the same adapter.
    unsafe { device.create_pipeline_cache(&descriptor) }
}
