//! The end of a run.

use std::fmt;

/// The end of a run for one batch item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The expected error, from residual and gap, is within the tolerance.
    Converged,
    /// The iterations ran out first; the result is still a lower estimate.
    MaxIterations,
    /// The operator is zero: sigma is 0, and there are no singular vectors.
    Zero,
    /// An entry or a product is NaN or infinite: there is no norm.
    NonFinite,
    /// Rounding stands in the way: the residual no longer falls, or is larger than the iteration's own value.
    Stagnated,
    /// The vectors found prove a norm above the upper bound, so that the upper bound is withdrawn. Either this start
    /// belongs to the share for which the bound fails, or products on the device differ from the measured ones. Take
    /// another seed.
    Refuted,
}

impl Status {
    /// The status as one word, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max_iterations",
            Self::Zero => "zero",
            Self::NonFinite => "non_finite",
            Self::Stagnated => "stagnated",
            Self::Refuted => "refuted",
        }
    }
}

/// As [`Status::as_str`].
impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
