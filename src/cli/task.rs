//! The work of one run.

use std::path::Path;

use opnorm::device::AdapterRequest;

use super::item::Item;
use super::request::Request;

/// The parts of a run.
#[derive(Debug)]
pub struct Task<'a> {
    /// The device to run on.
    pub adapter: &'a AdapterRequest,
    /// The measurements, and the format of their report.
    pub request: Request,
    /// The tensors.
    pub items: Vec<Item<'a>>,
}

impl Task<'_> {
    /// The file, where all items come from the same file.
    pub fn one_file(&self) -> Option<&Path> {
        let mut files = self.items.iter().map(Item::file);
        let first = files.next()?;
        files.all(|file| file == first).then_some(first)
    }
}
