//! The checkpoint in a directory, as people have them: sidecars, variants, shards without an index, links of a cache.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::format::READ;
use super::{file_error, file_fault};
use crate::Result;

/// The checkpoint of a directory, and the other candidates.
pub(super) struct Choice {
    pub taken: Taken,
    pub others: Vec<PathBuf>,
}

/// The file or the files of a checkpoint.
pub(super) enum Taken {
    /// An index, or a file with all tensors.
    File(PathBuf),
    /// Shards that no index lists; `missing` are those of their number that are not there.
    Shards { files: Vec<PathBuf>, missing: Vec<PathBuf> },
}

/// The names that win where several files of one kind are there: those that libraries load by themselves.
const USUAL: [&str; 8] = [
    "model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors.index.json",
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
    "model.pt",
    "model.pth",
];

/// The files that trainers write beside the weights.
const BESIDE_WEIGHTS: [&str; 6] =
    ["training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.bin", "scheduler.pt", "scaler.pt"];

/// The kinds of files, the one that is taken first before the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Index,
    Single,
    /// An index of another precision, `model.safetensors.index.fp16.json`.
    Variant,
    Shard,
    PickledIndex,
    Pickled,
    PickledVariant,
    PickledShard,
}

impl Kind {
    /// The kind by the name; `None` for other files and for hidden files, such as the sidecars `._x` of macOS.
    fn of(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        if lower.starts_with('.') || lower.starts_with("rng_state") || BESIDE_WEIGHTS.contains(&&*lower) {
            return None;
        }
        let pickled = [".bin", ".pt", ".pth", ".ckpt"];
        if lower.ends_with(".json") {
            return match lower.strip_suffix(".json")? {
                stem if stem.ends_with(".safetensors.index") => Some(Self::Index),
                stem if stem.contains(".safetensors.index.") => Some(Self::Variant),
                stem if stem.ends_with(".bin.index") => Some(Self::PickledIndex),
                stem if stem.contains(".bin.index.") => Some(Self::PickledVariant),
                _ => None,
            };
        }
        match (Numbered::of(name), lower.ends_with(".safetensors")) {
            (Some(_), true) => Some(Self::Shard),
            (None, true) => Some(Self::Single),
            (found, false) if pickled.iter().any(|ending| lower.ends_with(ending)) => {
                Some(if found.is_some() { Self::PickledShard } else { Self::Pickled })
            }
            _ => None,
        }
    }
}

/// The name of a shard, `model-00002-of-00003.safetensors`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Numbered {
    stem: String,
    digits: usize,
    total: usize,
    ending: String,
    number: usize,
}

impl Numbered {
    /// The largest number of shards that is believed.
    const MOST: usize = 10_000;

    fn of(name: &str) -> Option<Self> {
        let (first, last) = name.rsplit_once("-of-")?;
        let (stem, number) = first.rsplit_once('-')?;
        let (total, ending) = last.split_at(last.find(|letter: char| !letter.is_ascii_digit())?);
        let parsed = |digits: &str| digits.parse::<usize>().ok().filter(|parsed| *parsed <= Self::MOST);
        let (number_of, total_of) = (parsed(number)?, parsed(total)?);
        let (stem, ending) = (stem.to_owned(), ending.to_owned());
        Some(Self { stem, digits: total.len(), total: total_of, ending, number: number_of })
    }

    fn name(&self, number: usize) -> String {
        let Self { stem, digits, total, ending, .. } = self;
        format!("{stem}-{number:0digits$}-of-{total:0digits$}{ending}")
    }
}

/// Chooses the checkpoint of a directory.
pub(super) fn choose(directory: &Path) -> Result<Choice> {
    let mut found: BTreeMap<Kind, Vec<PathBuf>> = BTreeMap::new();
    for path in files(directory)? {
        if let Some(kind) = path.file_name().and_then(|name| Kind::of(&name.to_string_lossy())) {
            found.entry(kind).or_default().push(path);
        }
    }
    let Some((&kind, candidates)) = found.iter().next() else { return below(directory) };
    let is_usual = |path: &&PathBuf| USUAL.iter().any(|usual| path.ends_with(usual));
    let single = found.get(&Kind::Single).and_then(|paths| paths.iter().find(is_usual));
    let taken = match (kind, single) {
        // An index whose shards are gone, as after they were joined.
        (Kind::Index, Some(single)) if !found.contains_key(&Kind::Shard) => Taken::File(single.clone()),
        (Kind::Shard | Kind::PickledShard, _) => shards(directory, candidates)?,
        _ => Taken::File(one_of(directory, candidates)?),
    };
    // Shards are the parts of what an index lists, and no choice beside it.
    let rest = found.iter().filter(|(kind, _)| !matches!(kind, Kind::Shard | Kind::PickledShard));
    let is_other = |path: &&PathBuf| !matches!(&taken, Taken::File(file) if file == *path);
    let others = rest.flat_map(|(_, paths)| paths).filter(is_other).cloned().collect();
    Ok(Choice { taken, others })
}

/// The remark on the candidates that were not taken and that no tensor is in; `None` where there are none.
pub(super) fn remark(choice: &Choice, is_read: impl Fn(&Path) -> bool) -> Option<String> {
    let others: Vec<&PathBuf> = choice.others.iter().filter(|other| !is_read(other)).collect();
    if others.is_empty() {
        return None;
    }
    let taken = match &choice.taken {
        Taken::File(file) => names(&[file]),
        Taken::Shards { files, .. } => format!("the {} shards", files.len()),
    };
    Some(format!("{taken} was taken; beside it lies {}, which can be named instead", names(&others)))
}

/// The files of a directory in the order of their names; a link to a file that is missing counts.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| file_fault(directory, "cannot be listed", error);
    let mut paths = Vec::new();
    for item in std::fs::read_dir(directory).map_err(failed)? {
        let path = item.map_err(failed)?.path();
        if !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The snapshot of a cache of the Hugging Face hub: `snapshots/REVISION`, where `refs/main` names the revision.
fn below(directory: &Path) -> Result<Choice> {
    let snapshots = directory.join("snapshots");
    let named = std::fs::read_to_string(directory.join("refs").join("main")).unwrap_or_default();
    let is_name = matches!(Path::new(named.trim()).components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
    if is_name && snapshots.join(named.trim()).is_dir() {
        return choose(&snapshots.join(named.trim()));
    }
    let listed = std::fs::read_dir(&snapshots).into_iter().flatten().flatten().map(|item| item.path());
    match listed.filter(|path| path.is_dir()).collect::<Vec<_>>().as_slice() {
        [only] => choose(only),
        _ => Err(file_error(directory, format!("the directory holds no checkpoint that is known by its name; {READ}"))),
    }
}

/// The only candidate, or the only one of a usual name.
fn one_of(directory: &Path, candidates: &[PathBuf]) -> Result<PathBuf> {
    let usual = USUAL.iter().find_map(|usual| candidates.iter().find(|path| path.ends_with(usual)));
    match (candidates, usual) {
        ([only], _) | (_, Some(only)) => Ok(only.clone()),
        _ => Err(several(directory, &candidates.iter().collect::<Vec<_>>())),
    }
}

/// The shards of one checkpoint, by the numbers in their names.
fn shards(directory: &Path, candidates: &[PathBuf]) -> Result<Taken> {
    let mut groups: BTreeMap<Numbered, Vec<(usize, PathBuf)>> = BTreeMap::new();
    for path in candidates {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(found) = Numbered::of(&name) {
            let number = found.number;
            groups.entry(Numbered { number: 0, ..found }).or_default().push((number, path.clone()));
        }
    }
    let first_of = |group: &[(usize, PathBuf)]| group.first().map(|(_, path)| path.clone());
    let mut groups = groups.into_iter();
    match (groups.next(), groups.next()) {
        (Some((key, files)), None) => {
            let missing = (1..=key.total).filter(|number| files.iter().all(|(held, _)| held != number));
            let missing = missing.map(|number| directory.join(key.name(number))).collect();
            Ok(Taken::Shards { files: files.into_iter().map(|(_, path)| path).collect(), missing })
        }
        (first, second) => {
            let all = first.into_iter().chain(second).chain(groups).filter_map(|(_, group)| first_of(&group));
            Err(several(directory, &all.collect::<Vec<_>>().iter().collect::<Vec<_>>()))
        }
    }
}

fn several(directory: &Path, candidates: &[&PathBuf]) -> crate::Error {
    let problem =
        format!("the directory holds {} checkpoints ({}, ...): name one", candidates.len(), names(candidates));
    file_error(directory, problem)
}

/// The names of the first few files.
fn names(paths: &[&PathBuf]) -> String {
    let names = paths.iter().take(3).filter_map(|path| path.file_name()).map(|name| name.to_string_lossy());
    names.collect::<Vec<_>>().join(", ")
}
