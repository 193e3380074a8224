//! Compute pipelines, kept by the keys of their kernels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;

pub(super) struct Pipeline {
    /// The number of the pipeline among those of its device.
    pub(super) number: usize,
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

#[derive(Default)]
pub(super) struct Pipelines {
    places: Mutex<HashMap<String, Arc<Place>>>,
}

/// A pipeline and its number; locked while the pipeline is made, so that others are made meanwhile.
struct Place(usize, Mutex<Option<Arc<Pipeline>>>);

impl Pipelines {
    /// The pipeline of a key, made with its number where there is none.
    pub(super) fn get(&self, key: &str, make: impl FnOnce(usize) -> Result<Pipeline>) -> Result<Arc<Pipeline>> {
        let place = self.place(key);
        let mut made = place.1.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = &*made {
            return Ok(Arc::clone(pipeline));
        }
        Ok(Arc::clone(made.insert(Arc::new(make(place.0)?))))
    }

    fn place(&self, key: &str) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(key) {
            return Arc::clone(place);
        }
        let place = Arc::new(Place(places.len(), Mutex::default()));
        places.insert(key.to_string(), Arc::clone(&place));
        place
    }
}
