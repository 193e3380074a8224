//! Sharded checkpoints: a JSON index names the safetensors file, in its directory, of each tensor.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::contents::Contents;
use super::entry::{Entry, Layout, Place};
use super::unique_map::UniqueMap;
use super::{file_error, file_fault, safetensors, tensor_error};
use crate::Result;

/// The longest index that is read, in bytes; a longer index would list more than a million tensors.
const LONGEST_INDEX: usize = 100_000_000;

#[derive(Deserialize)]
struct Index {
    weight_map: UniqueMap<String>,
}

/// Opens every shard of the index. The entries are sorted by name.
pub(super) fn open(path: &Path, index: &[u8]) -> Result<(Vec<Contents>, Vec<Entry>)> {
    if index.len() > LONGEST_INDEX {
        let problem = format!("an index of {} bytes, {LONGEST_INDEX} are allowed", index.len());
        return Err(file_error(path, problem));
    }
    let Index { weight_map: UniqueMap(mut wanted) } = serde_json::from_slice(index)
        .map_err(|error| file_fault(path, "is not the index of a sharded checkpoint", error))?;
    wanted.sort();

    // Every name is checked before any file is opened.
    let mut shards = BTreeMap::new();
    for (tensor, shard) in &wanted {
        if !shards.contains_key(shard) {
            shards.insert(shard.clone(), beside(path, tensor, shard)?);
        }
    }
    let mut contents = Vec::new();
    let mut held = HashMap::new();
    for (shard, file) in &shards {
        if !file.exists() {
            let tensors = wanted.iter().filter(|(_, holder)| holder == shard).count();
            let problem = format!("the shard `{shard}`, which should hold {tensors} tensors, is missing");
            return Err(file_error(path, problem));
        }
        let mapped = Contents::map(file)?;
        let tensors = safetensors::tensors(file, mapped.as_ref())?;
        held.extend(tensors.into_iter().map(|tensor| ((shard.clone(), tensor.name.clone()), (contents.len(), tensor))));
        contents.push(mapped);
    }
    let mut entries = Vec::with_capacity(wanted.len());
    for (name, shard) in wanted {
        let key = (shard, name);
        let Some((contents, tensor)) = held.remove(&key) else {
            let (shard, name) = key;
            return Err(tensor_error(
                path,
                &name,
                format!("the index says it is in `{shard}`, which does not hold it"),
            ));
        };
        entries.push(Entry {
            file: shards[&key.0].clone(),
            name: tensor.name,
            shape: tensor.shape,
            element: tensor.element,
            layout: Layout::default(),
            place: Place::Bytes { contents, range: tensor.range },
            index: entries.len(),
        });
    }
    Ok((contents, entries))
}

/// The path of a shard, which must lie in the index's directory or below, because a foreign index must not lead this
/// program to other files.
fn beside(path: &Path, tensor: &str, shard: &str) -> Result<PathBuf> {
    let inside = !shard.is_empty() && Path::new(shard).components().all(|part| matches!(part, Component::Normal(_)));
    // A backslash or a drive is harmless here but leads elsewhere on Windows; an index gets the same verdict
    // everywhere.
    if !inside || shard.contains(['\\', ':', '\0']) {
        let problem =
            format!("the index says it is in `{shard}`, which is not a file within the index's own directory");
        return Err(tensor_error(path, tensor, problem));
    }
    Ok(path.parent().unwrap_or(Path::new("")).join(shard))
}
