//! The states of a Krylov subspace, and the moves between them.
//!
//! | from      | goal, and when                                       | to                               |
//! |-----------|------------------------------------------------------|----------------------------------|
//! | Searching | value: error within the tolerance, and probed        | Done (converged, or zero)        |
//! | Searching | bound: the first space has nothing more to say       | Settled                          |
//! | Searching | multiplicity: triplet accurate, its copies kept      | Settled                          |
//! | Searching | top: all converged, and another start found none     | Done (converged)                 |
//! | Settled   | bound: close, or all spaces of the item settled      | Done (converged, or stagnated)   |
//! | Settled   | multiplicity: all spaces of the item settled         | Probing (the best), Done (others) |
//! | Probing   | a start found a copy                                 | Probing, from another start      |
//! | Probing   | a start found none, triplet accurate for the gap     | Done (converged)                 |
//! | Probing   | a start found none, the gap asks for more accuracy   | Again                            |
//! | Again     | a new cycle starts from the best vector              | Searching                        |
//! | any       | a number is not finite                               | Done (non-finite)                |
//! | not Done  | the basis is full, or the steps have run out         | Done, or a new cycle             |
//!
//! The judges (`judge/`) make all moves but the last two, which `chain.rs` and `run.rs` make.

use super::super::stop::Stop;
use crate::iterate::Status;

/// The aim of a Krylov subspace.
#[derive(Clone, Copy, Debug)]
pub(in crate::norm) enum Goal {
    /// The largest singular value as `stop` says, its multiplicity counted where `multiplicity` says so.
    Norm { stop: Stop, multiplicity: bool },
    /// The largest `count` triplets within the tolerance, copies of repeated values included.
    Top { count: usize, rtol: f64 },
}

impl Goal {
    /// The limit that errors are held against.
    pub(super) fn tolerance(self) -> f64 {
        match self {
            Self::Norm { stop, .. } => stop.tolerance(),
            Self::Top { rtol, .. } => rtol,
        }
    }
}

/// The state of one space.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::norm) enum State {
    /// The space grows.
    #[default]
    Searching,
    /// The space needs no further step, and waits for the other spaces of its batch item.
    Settled {
        /// The relative residual of the leading triplet.
        residual: f64,
    },
    /// Spaces of further starts look for copies of the largest value.
    Probing {
        /// The relative residual of the leading triplet when its space was closed.
        residual: f64,
    },
    /// The gap is too small for the accuracy of the triplet: a new cycle follows.
    Again,
    /// No further step is wanted.
    Done(Status),
}

impl State {
    pub(in crate::norm) fn is_done(self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub(super) fn is_settled(self) -> bool {
        matches!(self, Self::Settled { .. })
    }

    pub(super) fn is_probing(self) -> bool {
        matches!(self, Self::Probing { .. })
    }

    /// Whether further steps of the present cycle are useless, with the present spaces and with a new start.
    pub(super) fn rests(self) -> bool {
        matches!(self, Self::Settled { .. } | Self::Again | Self::Done(_))
    }
}
