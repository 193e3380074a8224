//! The progress bar on stderr, where stderr is a terminal.

use std::io::IsTerminal;

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use opnorm::io::Entry;
use opnorm::iterate;
use opnorm::report::number::{magnitude, significant};
use opnorm::report::text::{elided, printable};

/// A progress bar, hidden where stderr is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    bytes: u64,
}

impl Progress {
    /// A bar for this number of tensors.
    pub fn new(tensors: usize) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(Some(tensors as u64), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        // The template is a constant; the default style stands in for a template that does not parse.
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} tensors  {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, bytes: 0 }
    }

    /// Announces the next tensor.
    pub fn start(&self, entry: &Entry) {
        self.say(entry, "");
    }

    /// Shows the progress of the solver with a tensor.
    pub fn solving(&self, entry: &Entry, progress: &iterate::Progress) {
        let mut words = format!(": iteration {}", progress.iterations);
        if progress.total > 1 {
            words.push_str(&format!(", {} of {} done", progress.done, progress.total));
        }
        words.push_str(&format!(", sigma {}, error {}", significant(progress.sigma), magnitude(progress.error)));
        self.say(entry, &words);
    }

    /// Shows the progress of a proof.
    pub fn certifying(&self, entry: &Entry, progress: &iterate::Progress) {
        self.say(entry, &format!(": proof, {} {} of {}", progress.step, progress.done, progress.total));
    }

    /// Counts a tensor as done.
    pub fn finish_tensor(&mut self, entry: &Entry) {
        let bytes = if entry.is_sparse() { entry.stored().saturating_mul(entry.element.size()) } else { entry.bytes() };
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.bar.inc(1);
    }

    /// Counts an input that is no tensor as done.
    pub fn finish_input(&mut self) {
        self.bar.inc(1);
    }

    /// Runs an action while the bar is hidden.
    pub fn suspend<T>(&self, action: impl FnOnce() -> T) -> T {
        self.bar.suspend(action)
    }

    /// Removes the bar.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, entry: &Entry, words: &str) {
        if self.bar.is_hidden() {
            return;
        }
        let name = elided(&printable(&entry.name), 40);
        self.bar.set_message(format!("{}  {name}{words}", BinaryBytes(self.bytes)));
    }
}
