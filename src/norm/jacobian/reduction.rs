//! Reductions of the norms of a batch to one number.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// The way to make one number of the norms of the samples of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reduction {
    /// The largest.
    #[default]
    Max,
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// No number: the norms stay as they are.
    None,
}

impl Reduction {
    const NAMES: [(&'static str, Self); 4] =
        [("max", Self::Max), ("mean", Self::Mean), ("sum", Self::Sum), ("none", Self::None)];

    /// `max`, `mean`, `sum` or `none`.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, reduction)| *reduction == self).map_or("none", |(name, _)| name)
    }
}

/// As [`Reduction::as_str`].
impl fmt::Display for Reduction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// From `max`, `mean`, `sum` or `none`.
impl FromStr for Reduction {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::NAMES.iter().find(|(other, _)| *other == name);
        known.map(|(_, reduction)| *reduction).ok_or_else(|| Error::InvalidOption {
            operation: "Jacobian norm",
            option: "reduction",
            value: name.to_owned(),
            allowed: "max, mean, sum or none",
        })
    }
}
