//! Compute pipelines, kept by the keys of their kernels.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::building::Recipe;
use super::scoped::scoped;
use crate::Result;

/// A pipeline, which may still be under way.
pub(super) struct Pipeline {
    /// The number of the pipeline among those of its device.
    pub(super) number: usize,
    pub(super) layout: wgpu::BindGroupLayout,
    recipe: Arc<Recipe>,
    /// The pipeline; `None` where its thread was refused.
    made: Arc<OnceLock<Option<wgpu::ComputePipeline>>>,
    thread: Option<JoinHandle<()>>,
}

impl Pipeline {
    /// Begins a pipeline on a thread of its own, so that the compilers of a driver work side by side.
    pub(super) fn begin(number: usize, layout: wgpu::BindGroupLayout, recipe: Recipe, running: &Running) -> Self {
        let (recipe, made) = (Arc::new(recipe), Arc::<OnceLock<_>>::default());
        let (other, result, running) = (Arc::clone(&recipe), Arc::clone(&made), Arc::clone(running));
        let run = move || {
            let found = catch_unwind(AssertUnwindSafe(|| scoped(&other.device, || other.make())));
            let found = found.ok().and_then(|(pipeline, fault)| fault.is_none().then_some(pipeline));
            drop(running);
            let _ = result.set(found); // set nowhere else
        };
        let thread = Builder::new().name("opnorm pipeline".to_string()).spawn(run).ok();
        if thread.is_none() {
            let _ = made.set(None);
        }
        Self { number, layout, recipe, made, thread }
    }

    /// A pipeline that was made.
    pub(super) fn made(
        number: usize,
        layout: wgpu::BindGroupLayout,
        recipe: Recipe,
        pipeline: wgpu::ComputePipeline,
    ) -> Self {
        Self { number, layout, recipe: Arc::new(recipe), made: Arc::new(Some(pipeline).into()), thread: None }
    }

    /// The pipeline, once it is made; the recipe where its thread was refused.
    pub(super) fn wait(&self) -> std::result::Result<&wgpu::ComputePipeline, &Recipe> {
        self.made.wait().as_ref().ok_or(&self.recipe)
    }
}

impl Drop for Pipeline {
    /// Ends the thread before the device goes.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // its panics are caught
        }
    }
}

/// A share of each thread that makes a pipeline, to count them.
pub(super) type Running = Arc<()>;

#[derive(Default)]
pub(super) struct Pipelines {
    kept: Mutex<HashMap<String, Arc<Pipeline>>>,
    running: Running,
}

impl Pipelines {
    /// The pipeline of a key, begun with its number where there is none, beside those that are under way.
    pub(super) fn get(
        &self,
        key: &str,
        begin: impl FnOnce(usize, &Running) -> Result<Pipeline>,
    ) -> Result<Arc<Pipeline>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = kept.get(key) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(begin(kept.len(), &self.running)?);
        kept.insert(key.to_string(), Arc::clone(&pipeline));
        Ok(pipeline)
    }
}
