//! The end of a run.

use std::fmt;

/// The end of a run for one item of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The residual is within the tolerance.
    Converged,
    /// The evaluations ran out first.
    MaxIterations,
    /// The residual no longer falls: rounding stands in the way, or the map does not contract.
    Stagnated,
    /// The residual has grown to 10^6 times the smallest: the map does not contract.
    Diverged,
    /// The map gives NaN or infinite elements where the last step was plain, or at the start.
    NonFinite,
}

impl Status {
    /// The status as one word, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max_iterations",
            Self::Stagnated => "stagnated",
            Self::Diverged => "diverged",
            Self::NonFinite => "non_finite",
        }
    }
}

/// As [`Status::as_str`].
impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
