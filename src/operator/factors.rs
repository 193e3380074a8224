//! Factors of batch items in device memory, uploaded once for each number of vectors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;
use crate::device::{Buffer, Device};

/// A factor for each batch item, repeated for each of its vectors; clones share the memory.
// The cache stays small because solvers ask for one or two numbers of vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct Factors {
    /// The uploaded factors and their memory, by the number of vectors.
    uploaded: Arc<Mutex<BTreeMap<usize, Uploaded>>>,
}

type Uploaded = (Vec<f32>, Buffer<f32>);

impl Factors {
    /// The memory with `factors`, each factor `vectors` times.
    ///
    /// Changed factors go to new memory, because recorded commands already read the old memory.
    pub(super) fn buffer(
        &self,
        device: &Device,
        operation: &'static str,
        vectors: usize,
        factors: Vec<f32>,
    ) -> Result<Buffer<f32>> {
        let mut uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, buffer)) = uploaded.get(&vectors)
            && *held == factors
        {
            return Ok(buffer.clone());
        }
        let repeated: Vec<f32> = factors.iter().flat_map(|factor| std::iter::repeat_n(*factor, vectors)).collect();
        let buffer = Buffer::from_slice(device, operation, &repeated)?;
        uploaded.insert(vectors, (factors, buffer.clone()));
        Ok(buffer)
    }
}
