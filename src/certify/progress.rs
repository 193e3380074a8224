//! What a caller hears while a proof is worked out.

use std::ops::ControlFlow;

use crate::{Error, Result};

/// Where a proof stands.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done: `Gram matrix`, `factorisation`, ...
    pub step: &'static str,
    /// How much of it is done.
    pub done: usize,
    /// All of it.
    pub total: usize,
    /// The matrix of the batch that is being worked on.
    pub item: usize,
}

/// What is called while a proof is worked out; `Break` ends it with [`Error::Cancelled`].
pub type OnProgress<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// The steps of one proof, told to whoever listens.
pub(super) struct Steps<'a> {
    listener: Option<OnProgress<'a>>,
    pub(super) item: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn new(listener: Option<OnProgress<'a>>) -> Self {
        Self { listener, item: 0 }
    }

    /// Tells how far a step came.
    pub(super) fn reach(&mut self, step: &'static str, done: usize, total: usize) -> Result<()> {
        let Some(listener) = &mut self.listener else { return Ok(()) };
        match listener(&Progress { step, done, total, item: self.item }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { operation: "certify", iterations: 0 }),
        }
    }
}
