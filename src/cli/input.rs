//! `FILE[:TENSOR]`: which file, and which of its tensors.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use opnorm::audit::Axes;
use opnorm::io::{Checkpoint, Entry};
use opnorm::{Error, Result};

use super::session::Item;

/// An opened file, and the tensor of it that was asked for.
#[derive(Debug)]
pub struct Input {
    file: PathBuf,
    tensor: Option<String>,
    checkpoint: Result<Checkpoint>,
}

impl Input {
    /// Opens what an argument names. A path may hold a `:` of its own, and so may a tensor's name: the whole argument is
    /// a path where there is a file of that name; else the first `:` divides that has a file before it and one of its
    /// tensors behind it.
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

    /// What there is to measure: the tensor that was asked for, or all that can have a norm.
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
        let axes = axes(&self.file);
        let tensor = |entry| Item::Tensor { checkpoint, entry, axes };
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

/// A file that cannot be opened, and why; where a tensor of it is to blame, the reason says so.
pub fn unopened<'a>(file: &Path, error: &Error) -> Item<'a> {
    let (file, problem) = match error {
        Error::File { path, tensor: Some(tensor), problem } => (path.clone(), format!("tensor `{tensor}`: {problem}")),
        Error::File { path, problem, .. } => (path.clone(), problem.clone()),
        _ => (file.to_path_buf(), error.to_string()),
    };
    Item::Unreadable { file, name: None, problem }
}

/// Each `FILE:TENSOR` that an argument can be, where there is such a file, the shortest first.
fn divisions(argument: &Path) -> Vec<(PathBuf, String)> {
    let Some(text) = argument.to_str() else {
        return Vec::new();
    };
    text.match_indices(':')
        .map(|(place, _)| (PathBuf::from(&text[..place]), text[place + 1..].to_owned()))
        .filter(|(file, _)| !file.as_os_str().is_empty() && file.exists())
        .collect()
}

/// The problem of a name that is not there, with some that are.
fn absent(entries: &[Entry]) -> String {
    const SHOWN: usize = 8;
    if entries.is_empty() {
        return "is not there: the file holds no tensors".to_owned();
    }
    let names: Vec<String> = entries.iter().take(SHOWN).map(|entry| format!("`{}`", entry.name)).collect();
    let more = if entries.len() > SHOWN { ", …" } else { "" };
    format!("is not there: the file holds {}{more}", names.join(", "))
}

/// What axes beyond two mean in this file, by what it holds: numpy's formats begin with their own marks, which no
/// safetensors file does whose header could fit it.
fn axes(file: &Path) -> Axes {
    let mut start = [0; 9];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut start));
    let is_numpy =
        start.starts_with(b"\x93NUMPY") || start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06");
    if read.is_ok() && is_numpy && start[8] != b'{' { Axes::Batch } else { Axes::Kernel }
}
