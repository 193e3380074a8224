//! Compute pipelines, kept by the keys of their kernels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;

pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

#[derive(Default)]
pub(super) struct Pipelines {
    made: Mutex<HashMap<String, Arc<Pipeline>>>,
}

impl Pipelines {
    /// The pipeline of a key, made where there is none.
    pub(super) fn get(&self, key: &str, make: impl FnOnce() -> Result<Pipeline>) -> Result<Arc<Pipeline>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = made.get(key) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(make()?);
        made.insert(key.to_string(), Arc::clone(&pipeline));
        Ok(pipeline)
    }
}
