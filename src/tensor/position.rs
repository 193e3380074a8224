//! The place of an entry.

/// The place of an entry within one matrix of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The row, from 0.
    pub row: usize,
    /// The column, from 0.
    pub col: usize,
}
