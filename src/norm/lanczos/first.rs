//! The Krylov subspace of a random start, never restarted: the subspace of an upper bound.

use super::space::Space;

/// The first space of a chain, with its upper bound.
#[derive(Clone, Debug)]
pub(in crate::norm) struct FirstSpace {
    pub(in crate::norm) space: Space,
    /// The value that the norm exceeds for the allowed share of starts at most; infinite where no bound was asked for.
    pub(super) upper: f64,
    /// The least upper / sigma - 1 so far, with its number of steps.
    pub(super) narrowest: (f64, usize),
}

impl FirstSpace {
    pub(super) fn new() -> Self {
        Self { space: Space::default(), upper: f64::INFINITY, narrowest: (f64::INFINITY, 0) }
    }

    /// The bound alone, once the space has ended by a restart.
    pub(super) fn ended(&self) -> Self {
        Self { upper: self.upper, ..Self::new() }
    }
}

impl Default for FirstSpace {
    fn default() -> Self {
        Self::new()
    }
}
