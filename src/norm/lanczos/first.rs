//! The space of a random start, never restarted: what an upper bound rests on.

use super::space::Space;

/// The first space of a chain, with its upper bound.
#[derive(Clone, Debug)]
pub(in crate::norm) struct FirstSpace {
    pub(in crate::norm) space: Space,
    /// The value that the norm exceeds for the allowed share of starts alone; infinite where no bound was asked for.
    pub(super) upper: f64,
    /// The least upper / sigma - 1 so far, and the steps that it took.
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
