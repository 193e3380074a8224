//! `FILE[:TENSOR]`: a file, and one of its tensors.

use std::path::{Path, PathBuf};

use opnorm::audit::{Axes, Target};
use opnorm::io::{Checkpoint, Entry};
use opnorm::{Error, Result};

use super::ending::{Ending, Findings, complain};
use super::item::Item;

/// An opened file, with the tensor named by the argument.
#[derive(Debug)]
pub struct Input {
    file: PathBuf,
    tensor: Option<String>,
    checkpoint: Result<Checkpoint>,
}

impl Input {
    /// Opens the file of an argument.
    ///
    /// A path and a tensor's name may each hold a `:`. So the whole argument is a path where such a file exists.
    /// Otherwise the argument is divided at the first `:` with a file before and a tensor of this file behind.
    pub fn open(argument: &Path) -> Self {
        if argument.exists() {
            return Self::new(argument.to_path_buf(), None);
        }
        let mut first = None;
        for (file, tensor) in divisions(argument) {
            let input = Self::new(file, Some(tensor));
            if input.is_found() {
                return input;
            }
            first.get_or_insert(input);
        }
        first.unwrap_or_else(|| Self::new(argument.to_path_buf(), None))
    }

    fn new(file: PathBuf, tensor: Option<String>) -> Self {
        let checkpoint = Checkpoint::open(&file);
        Self { file, tensor, checkpoint }
    }

    fn is_found(&self) -> bool {
        match (&self.checkpoint, &self.tensor) {
            (Ok(checkpoint), Some(tensor)) => checkpoint.find(tensor).is_some(),
            (Ok(_), None) => true,
            (Err(_), _) => false,
        }
    }

    /// The only tensor of the argument; `role` is the word for the tensor.
    ///
    /// # Errors
    /// The end of the run, for several tensors, and for a tensor that cannot be read.
    pub fn only(&self, role: &str) -> std::result::Result<Target<'_>, Ending> {
        let mut items = self.items();
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

    /// The items to measure: the named tensor, or all tensors that can have a norm.
    pub fn items(&self) -> Vec<Item<'_>> {
        let unreadable = |name: Option<&str>, problem: String| Item::Unreadable {
            file: self.file.clone(),
            name: name.map(str::to_owned),
            problem,
        };
        let checkpoint = match &self.checkpoint {
            Ok(checkpoint) => checkpoint,
            Err(error) => return vec![unopened(&self.file, error)],
        };
        tell_remarks(checkpoint);
        let axes = Axes::usual(checkpoint.format());
        let tensor = |entry| Item::Tensor(Target::new(checkpoint, entry, axes));
        let Some(name) = self.tensor.as_deref() else {
            let found: Vec<_> =
                checkpoint.entries().iter().filter(|entry| entry.skipped().is_none()).map(tensor).collect();
            if found.is_empty() {
                return vec![unreadable(
                    None,
                    "holds no tensor of floats, and only of those there is a norm".to_owned(),
                )];
            }
            return found;
        };
        match checkpoint.find(name) {
            None => vec![unreadable(Some(name), absent(checkpoint.entries()))],
            Some(entry) => match entry.skipped() {
                Some(reason) => vec![unreadable(Some(name), reason)],
                None => vec![tensor(entry)],
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
