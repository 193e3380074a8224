//! The common parts of commands that write a checkpoint anew.

use std::io::{self, Write};
use std::path::Path;

use opnorm::device::{AdapterRequest, DeviceOptions};
use opnorm::io::{Checkpoint, Entry, Format};
use opnorm::report::Change;
use opnorm::{Device, Error, Result};

use super::ending::{Ending, Findings, complain};
use super::interrupt;
use super::outputs::destination;
use super::progress::Progress;

/// A file to write from another.
pub struct Rewriting<'a> {
    /// The device to run on.
    pub adapter: &'a AdapterRequest,
    /// The file that is read.
    pub input: &'a Path,
    /// The file that is written.
    pub output: &'a Path,
    /// The word for the command.
    pub operation: &'static str,
    /// Whether the changes are printed as JSON, in place of the text.
    pub is_json: bool,
}

/// The report of a run.
pub struct Report {
    /// Failures of single tensors.
    pub findings: Findings,
    /// The text for a person.
    pub text: String,
    /// The changes for a program.
    pub changes: Vec<Change>,
}

/// The view of a run from outside: its bar, and Ctrl-C.
pub struct Watch {
    /// The bar.
    pub progress: Progress,
    operation: &'static str,
    done: usize,
}

impl Watch {
    /// Goes on, unless Ctrl-C was pressed.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn go_on(&self) -> Result<()> {
        match interrupt::is_asked() {
            true => Err(Error::Cancelled { operation: self.operation, iterations: 0 }),
            false => Ok(()),
        }
    }

    /// Counts a tensor as written.
    pub fn finished(&mut self, entry: &Entry) {
        self.progress.finish_tensor(entry);
        self.done += 1;
    }

    /// Writes a message to stderr.
    pub fn complain(&self, message: &str) {
        self.progress.suspend(|| complain(message));
    }
}

impl Rewriting<'_> {
    /// Opens the input for `work`, refuses an output that would replace the input, and prints the report that `work`
    /// returns.
    pub fn run(&self, work: impl FnOnce(&Checkpoint, &mut Watch) -> Result<Report>) -> Ending {
        let Self { adapter, input, output, operation, is_json } = *self;
        let checkpoint = match Checkpoint::open(input) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return Ending::failed(error, adapter),
        };
        if !matches!(checkpoint.format(), Format::Safetensors | Format::Index) {
            return Ending::Usage(format!("{}: only safetensors are written anew", input.display()));
        }
        // A whole file alone is written anew, so that no damage is hidden in a sound file.
        let damaged = checkpoint.entries().iter().find_map(|entry| Some((entry, entry.damage()?)));
        if let Some((entry, damage)) = damaged {
            complain(&format!("{}, tensor `{}`: {damage}", entry.file.display(), entry.name));
            return Ending::Done(Findings { unreadable: true, ..Findings::default() });
        }
        if is_replaced(&checkpoint, output) {
            return Ending::Usage(format!("--output would replace the input {}", output.display()));
        }
        let total = checkpoint.entries().len();
        let mut watch = Watch { progress: Progress::new(total), operation, done: 0 };
        let result = work(&checkpoint, &mut watch);
        watch.progress.clear();
        match result {
            Ok(Report { findings, text, changes }) => {
                let mut out = io::stdout();
                let written = match is_json {
                    true => Change::write_json(&changes, &mut out),
                    false => out.write_all(text.as_bytes()),
                };
                written.map_or_else(|error| Ending::Output(error, findings), |()| Ending::Done(findings))
            }
            Err(Error::Cancelled { .. }) => Ending::Interrupted { done: watch.done, total, what: "tensors" },
            Err(error) => Ending::failed(error, adapter),
        }
    }
}

/// The device that a run asks for.
pub fn device(adapter: &AdapterRequest) -> Result<Device> {
    Device::open(&DeviceOptions { adapter: adapter.clone(), ..DeviceOptions::default() })
}

/// Whether the output is a file of the checkpoint.
fn is_replaced(checkpoint: &Checkpoint, output: &Path) -> bool {
    let output = destination(output);
    let mut last = checkpoint.path();
    let entries = checkpoint.entries().iter().map(|entry| entry.file.as_path());
    // Each path once where tensors of one file follow each other, because a look-up asks the system.
    let files = entries.filter(|file| std::mem::replace(&mut last, file) != *file);
    destination(checkpoint.path()) == output || files.map(destination).any(|file| file == output)
}
