//! `FILE[:TENSOR]`: a file, and one of its tensors.

use std::path::{Path, PathBuf};

use opnorm::audit::{Axes, Target, Weights, targets};
use opnorm::io::{Checkpoint, Element, Entry};
use opnorm::{Error, Result};

use super::ending::{Ending, Findings, complain};
use super::item::Item;

/// An opened file, with the tensor named by the argument.
#[derive(Debug)]
pub struct Input {
    file: PathBuf,
    tensor: Option<String>,
    checkpoint: Result<(Weights, Checkpoint)>,
}

impl Input {
    /// Opens the file of an argument.
    ///
    /// A path and a tensor's name may each hold a `:`. So the whole argument is a path where such a file exists.
    /// Otherwise the argument is divided at the first `:` with a file before and a tensor of this file behind.
    /// `raw` is the type of raw elements.
    pub fn open(argument: &Path, raw: Option<&Element>) -> Self {
        if argument.exists() {
            return Self::new(argument.to_path_buf(), None, raw);
        }
        let mut first = None;
        for (file, tensor) in divisions(argument) {
            let input = Self::new(file, Some(tensor), raw);
            if input.is_found() {
                return input;
            }
            first.get_or_insert(input);
        }
        first.unwrap_or_else(|| Self::new(argument.to_path_buf(), None, raw))
    }

    fn new(file: PathBuf, tensor: Option<String>, raw: Option<&Element>) -> Self {
        let checkpoint = opened(&file, raw).map(|found| (Weights::of(&found), found));
        Self { file, tensor, checkpoint }
    }

    fn is_found(&self) -> bool {
        match (&self.checkpoint, &self.tensor) {
            (Ok((_, checkpoint)), Some(tensor)) => checkpoint.find(tensor).is_some(),
            (Ok(_), None) => true,
            (Err(_), _) => false,
        }
    }

    /// The only tensor of the argument; `role` is the word for the tensor.
    ///
    /// # Errors
    /// The end of the run, for several tensors, and for a tensor that cannot be read.
    pub fn only(&self, role: &str) -> std::result::Result<Target<'_>, Ending> {
        let mut items = self.items(true);
        match (items.pop(), items.len()) {
            (Some(Item::Tensor(target)), 0) => Ok(target),
            (Some(Item::Unreadable { file, name, problem }), 0) => {
                let name = name.map_or_else(String::new, |name| format!(", tensor `{name}`"));
                complain(&format!("{}{name}: {problem}", file.display()));
                Err(Ending::Done(Findings { unreadable: true, ..Findings::default() }))
            }
            (item, others) => {
                let file = item.as_ref().map_or(Path::new(""), Item::file).display().to_string();
                Err(Ending::Usage(format!(
                    "{role} is one tensor, and {file} holds {}: name one as FILE:TENSOR",
                    others + 1
                )))
            }
        }
    }

    /// The items to measure: the named tensor, or all tensors that can have a norm. `stored` chooses the tensors of the
    /// file, not the weights that its layers use.
    pub fn items(&self, stored: bool) -> Vec<Item<'_>> {
        let unreadable = |name: Option<&str>, problem: String| Item::Unreadable {
            file: self.file.clone(),
            name: name.map(str::to_owned),
            problem,
        };
        let (weights, checkpoint) = match &self.checkpoint {
            Ok(found) => found,
            Err(error) => return vec![unopened(&self.file, error)],
        };
        tell_remarks(checkpoint);
        let axes = Axes::usual(checkpoint.format());
        let all = if stored { stored_tensors(checkpoint, axes) } else { targets(checkpoint, weights, axes) };
        let Some(name) = self.tensor.as_deref() else {
            let found = all.into_iter().filter(|target| target.entry.skipped().is_none());
            let found: Vec<_> = found.map(Item::Tensor).collect();
            if found.is_empty() {
                return vec![unreadable(None, none_of(checkpoint.entries()))];
            }
            return found;
        };
        // A part of a weight is a tensor for itself where its own name asks for it.
        let named = all.into_iter().find(|target| target.entry.name == name);
        let named = named.or_else(|| Some(Target::new(checkpoint, checkpoint.find(name)?, axes)));
        match named {
            None => vec![unreadable(Some(name), absent(checkpoint.entries()))],
            Some(target) => match target.entry.skipped() {
                Some(reason) => vec![unreadable(Some(name), reason)],
                None => vec![Item::Tensor(target)],
            },
        }
    }
}

/// Writes the remarks on a checkpoint to stderr, such as which file of a directory was taken.
pub fn tell_remarks(checkpoint: &Checkpoint) {
    for remark in checkpoint.remarks() {
        complain(&format!("{}: {remark}", checkpoint.path().display()));
    }
}

/// Every tensor that a file stores.
pub fn stored_tensors(checkpoint: &Checkpoint, axes: Axes) -> Vec<Target<'_>> {
    checkpoint.entries().iter().map(|entry| Target::new(checkpoint, entry, axes)).collect()
}

/// Opens a file; `raw` is the type of raw elements.
pub fn opened(file: &Path, raw: Option<&Element>) -> Result<Checkpoint> {
    let checkpoint = Checkpoint::open(file)?;
    Ok(match raw {
        Some(element) => checkpoint.with_raw(element),
        None => checkpoint,
    })
}

/// The problem of a file without a tensor that has a norm, with the reason of its first tensor.
fn none_of(entries: &[Entry]) -> String {
    let first = entries.iter().find_map(|entry| Some((&entry.name, entry.skipped()?)));
    match (first, entries.len()) {
        (Some((_, reason)), 1) => reason,
        (Some((name, reason)), _) => format!("holds no tensor that has a norm. `{name}`: {reason}"),
        (None, _) => "holds no tensor".to_owned(),
    }
}

/// The item of a file that cannot be opened; the reason names the faulty tensor, if known.
pub fn unopened<'a>(file: &Path, error: &Error) -> Item<'a> {
    let (file, problem) = match error {
        Error::File { path, tensor: Some(tensor), problem, .. } => {
            (path.clone(), format!("tensor `{tensor}`: {problem}"))
        }
        Error::File { path, problem, .. } => (path.clone(), problem.clone()),
        _ => (file.to_path_buf(), error.to_string()),
    };
    Item::Unreadable { file, name: None, problem }
}

/// Each possible `FILE:TENSOR` of an argument with an existing FILE, the shortest FILE first.
fn divisions(argument: &Path) -> Vec<(PathBuf, String)> {
    let Some(text) = argument.to_str() else {
        return Vec::new();
    };
    text.match_indices(':')
        .map(|(place, _)| (PathBuf::from(&text[..place]), text[place + 1..].to_owned()))
        .filter(|(file, _)| !file.as_os_str().is_empty() && file.exists())
        .collect()
}

/// The problem of a name that is not in the file, with some names of the file.
fn absent(entries: &[Entry]) -> String {
    const SHOWN: usize = 8;
    if entries.is_empty() {
        return "is not there: the file holds no tensors".to_owned();
    }
    let names: Vec<String> = entries.iter().take(SHOWN).map(|entry| format!("`{}`", entry.name)).collect();
    let more = if entries.len() > SHOWN { ", …" } else { "" };
    format!("is not there: the file holds {}{more}", names.join(", "))
}
