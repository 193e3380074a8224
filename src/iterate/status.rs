//! The end of a run.

use std::fmt;

/// The end of a run for one batch item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The error that residual and gap let one expect is within the tolerance.
    Converged,
    /// The iterations ran out first; the result is still a lower estimate.
    MaxIterations,
    /// The operator is zero: sigma is 0, and there are no singular vectors.
    Zero,
    /// An entry or a product is NaN or infinite: there is no norm.
    NonFinite,
    /// Rounding stands in the way: the residual no longer falls, or is larger than the iteration believed.
    Stagnated,
    /// The vectors found prove a norm above the upper bound that was asked for: this start is of the share that the
    /// bound fails for, or products on the device are not what was measured. The upper bound is withdrawn; take
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
