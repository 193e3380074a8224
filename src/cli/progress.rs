//! The bar on stderr, where stderr is a terminal.

use std::io::IsTerminal;

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use opnorm::io::Entry;
use opnorm::norm;

use super::number::{magnitude, significant};
use super::text::{elided, printable};

/// The bar, or nothing.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    bytes: u64,
}

impl Progress {
    /// A bar for so many tensors.
    pub fn new(tensors: usize) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(Some(tensors as u64), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        // a template that does not parse would be a mistake here; the bar's own style does as well
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} tensors  {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, bytes: 0 }
    }

    /// A tensor is next.
    pub fn start(&self, entry: &Entry) {
        self.say(entry, "");
    }

    /// The solver came this far with it.
    pub fn solving(&self, entry: &Entry, progress: &norm::Progress) {
        let mut words = format!(": iteration {}", progress.iterations);
        if progress.total > 1 {
            words.push_str(&format!(", {} of {} done", progress.done, progress.total));
        }
        words.push_str(&format!(", sigma {}, error {}", significant(progress.sigma), magnitude(progress.error)));
        self.say(entry, &words);
    }

    /// The proof came this far.
    pub fn certifying(&self, entry: &Entry, progress: &norm::Progress) {
        self.say(entry, &format!(": proof, {} {} of {}", progress.step, progress.done, progress.total));
    }

    /// A tensor is done.
    pub fn finish_tensor(&mut self, entry: &Entry) {
        let bytes = entry.elements().saturating_mul(entry.element.size());
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.bar.inc(1);
    }

    /// An input is done that is no tensor.
    pub fn finish_input(&mut self) {
        self.bar.inc(1);
    }

    /// Does something with the bar out of the way.
    pub fn suspend<T>(&self, action: impl FnOnce() -> T) -> T {
        self.bar.suspend(action)
    }

    /// Takes the bar away.
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
