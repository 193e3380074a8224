//! Sharded checkpoints: a JSON index names the file, in its directory, of each tensor.
//!
//! A shard that is missing or broken costs its own tensors alone, and so does an entry of the index that is wrong.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::contents::Contents;
use super::entry::{Entry, Lack};
use super::format::without_mark;
use super::members::Members;
use super::part::Part;
use super::{file_error, file_fault};
use crate::{Error, Result};

/// The longest index that is read, in bytes; a longer index would list more than a million tensors.
const LONGEST_INDEX: usize = 100_000_000;

#[derive(Deserialize)]
struct Index {
    weight_map: Members<serde_json::Value>,
}

/// A tensor of the index: its name, and the file that the index says, or the reason why there is none.
type Wanted = (String, std::result::Result<PathBuf, Lack>);

/// Opens every shard of the index. The entries are sorted by name.
pub(super) fn open(path: &Path, index: &[u8]) -> Result<Part> {
    if index.len() > LONGEST_INDEX {
        let problem = format!("an index of {} bytes, {LONGEST_INDEX} are allowed", index.len());
        return Err(file_error(path, problem));
    }
    let Index { weight_map } = serde_json::from_slice(without_mark(index))
        .map_err(|error| file_fault(path, "is not the index of a sharded checkpoint", error))?;
    // Every name is checked before any file is opened.
    let wanted = wanted(path, weight_map);
    let mut files: Vec<PathBuf> = wanted.iter().filter_map(|(_, file)| file.clone().ok()).collect();
    files.sort();
    files.dedup();
    let Shards { part, held, broken } = Shards::open(files);
    Ok(joined(path, wanted, part, held, &broken))
}

/// Opens shards without an index; each of `missing` has an entry under the name of its file.
pub(super) fn open_all(files: Vec<PathBuf>, missing: &[PathBuf]) -> Part {
    let Shards { mut part, held, broken } = Shards::open(files);
    part.entries = held;
    let lacking = missing.iter().map(|file| (file, "the shard is missing"));
    for (file, problem) in lacking.chain(broken.iter().map(|(file, problem)| (file, problem.as_str()))) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        part.entries.push(Entry::absent(file, name, Lack::absent(problem)));
    }
    let mut seen = HashMap::new();
    part.entries.retain(|entry| match seen.insert(entry.name.clone(), entry.file.clone()) {
        Some(first) => {
            let words = format!("`{}` of {} is in {} as well", entry.name, first.display(), entry.file.display());
            part.remarks.push(words);
            false
        }
        None => true,
    });
    part.entries.sort_by(|left, right| left.name.cmp(&right.name));
    part
}

/// The tensors of the index, sorted by name, each once.
fn wanted(path: &Path, weight_map: Members<serde_json::Value>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut pairs = weight_map.0;
    pairs.sort_by(|left, right| left.0.cmp(&right.0));
    for (name, shard) in pairs {
        let file = match shard.as_str() {
            Some(shard) => beside(path, shard),
            None => Err(Lack::absent(format!("the index says it is in `{shard}`, which is no name of a file"))),
        };
        match wanted.last_mut() {
            Some((last, before)) if *last == name => {
                if before.as_ref().ok() != file.as_ref().ok() || file.is_err() {
                    *before = Err(Lack::absent("the index lists the name twice, with different files"));
                }
            }
            _ => wanted.push((name, file)),
        }
    }
    wanted
}

/// The opened shards.
struct Shards {
    part: Part,
    /// The tensors of all shards.
    held: Vec<Entry>,
    /// The shards that cannot be opened, with the reason.
    broken: BTreeMap<PathBuf, String>,
}

impl Shards {
    fn open(files: Vec<PathBuf>) -> Self {
        let mut shards = Self { part: Part::default(), held: Vec::new(), broken: BTreeMap::new() };
        for file in files {
            match shards.add(&file) {
                Ok(()) => {}
                Err(Error::File { problem, .. }) => drop(shards.broken.insert(file, problem)),
                Err(error) => drop(shards.broken.insert(file, error.to_string())),
            }
        }
        shards
    }

    fn add(&mut self, file: &Path) -> Result<()> {
        if !file.exists() {
            let target = std::fs::read_link(file).map(|target| format!(": {} is not there", target.display()));
            return Err(file_error(file, format!("is missing{}", target.unwrap_or_default())));
        }
        let (entries, remarks) = self.part.open(file, Contents::map(file)?)?;
        self.part.remarks.extend(remarks.into_iter().map(|remark| format!("{}: {remark}", file.display())));
        self.held.extend(entries);
        Ok(())
    }
}

/// The entries of the index, with those of the shards that the index does not list.
fn joined(
    path: &Path,
    wanted: Vec<Wanted>,
    mut part: Part,
    held: Vec<Entry>,
    broken: &BTreeMap<PathBuf, String>,
) -> Part {
    let mut by_name: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in held {
        by_name.entry(entry.name.clone()).or_default().push(entry);
    }
    for (name, file) in wanted {
        let mut found = by_name.remove(&name).unwrap_or_default();
        let file = match file {
            Ok(file) => file,
            Err(lack) => {
                part.entries.push(Entry::absent(path, name, lack));
                continue;
            }
        };
        let shard = short(path, &file);
        let entry = match (found.iter().position(|entry| entry.file == file), broken.get(&file)) {
            (Some(place), _) => found.swap_remove(place),
            (None, Some(problem)) => Entry::absent(&file, &*name, Lack::absent(format!("its shard {problem}"))),
            (None, None) if found.len() == 1 => {
                let mut other = found.swap_remove(0);
                other.note = Some(format!("the index says it is in `{shard}`"));
                other
            }
            (None, None) => {
                let problem = format!("the index says it is in `{shard}`, which does not hold it");
                Entry::absent(&file, &*name, Lack::absent(problem))
            }
        };
        let copies = found.iter().map(|copy| format!("`{name}` is in `{}` as well", short(path, &copy.file)));
        part.remarks.extend(copies);
        part.entries.push(entry);
    }
    for (name, found) in by_name {
        let mut found = found.into_iter();
        if let Some(mut first) = found.next() {
            first.note = Some("the index does not list it".to_owned());
            part.entries.push(first);
        }
        let copies = found.map(|copy| format!("`{name}` is in `{}` as well", short(path, &copy.file)));
        part.remarks.extend(copies);
    }
    part.entries.sort_by(|left, right| left.name.cmp(&right.name));
    part.remarks.sort();
    part
}

/// The name of a shard, as the index has it.
fn short(index: &Path, file: &Path) -> String {
    let folder = index.parent().unwrap_or(Path::new(""));
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}

/// The path of a shard, which must lie in the index's directory or below, because a foreign index must not lead this
/// program to other files.
fn beside(path: &Path, shard: &str) -> std::result::Result<PathBuf, Lack> {
    let parts: Vec<Component<'_>> =
        Path::new(shard).components().filter(|part| !matches!(part, Component::CurDir)).collect();
    let inside = !parts.is_empty() && parts.iter().all(|part| matches!(part, Component::Normal(_)));
    // A backslash or a drive is harmless here but leads elsewhere on Windows; an index gets the same verdict
    // everywhere.
    if !inside || shard.contains(['\\', ':', '\0']) {
        let problem =
            format!("the index says it is in `{shard}`, which is not a file within the index's own directory");
        return Err(Lack::absent(problem));
    }
    Ok(path.parent().unwrap_or(Path::new("")).join(parts.iter().collect::<PathBuf>()))
}
