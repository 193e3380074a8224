//! Tensors by name with some text, as a safetensors file that appears either whole or not at all.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{SafeTensors, TensorView};
use safetensors::{Dtype, serialize};

use super::atomic_file::AtomicFile;
use super::{file_error, file_fault};
use crate::Result;

/// A tensor of a file: name, shape and values.
pub(crate) type Named = (String, Vec<usize>, Vec<f32>);

/// The pairs of `__metadata__`.
pub(crate) type Text = HashMap<String, String>;

/// Writes tensors of different names and some text.
///
/// # Errors
/// [`crate::Error::File`]
pub(crate) fn write_named(path: &Path, tensors: &[Named], text: &Text) -> Result<()> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(.., data)| data.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let refuse = |error| file_fault(path, "cannot be written", error);
    let mut views = HashMap::new();
    for ((name, shape, _), bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(refuse)?;
        if views.insert(name.as_str(), view).is_some() {
            return Err(file_error(path, format!("cannot be written: two tensors have the name `{name}`")));
        }
    }
    let whole = serialize(views, Some(text.clone())).map_err(refuse)?;
    let mut file = AtomicFile::create(path)?;
    file.write_all(&whole).map_err(|error| file.failed(error))?;
    file.finish()
}

/// The text of a file.
///
/// # Errors
/// [`crate::Error::File`]
pub(crate) fn read_text(path: &Path) -> Result<Text> {
    let bytes = std::fs::read(path).map_err(|error| file_fault(path, "cannot be read", error))?;
    let (_, header) =
        SafeTensors::read_metadata(&bytes).map_err(|error| file_fault(path, "the header cannot be read", error))?;
    Ok(header.metadata().clone().unwrap_or_default())
}
