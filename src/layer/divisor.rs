//! The number that a spectral normalisation divides by.

use super::description::{Description, Members, Problem};

/// The number that a weight is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Divisor {
    /// uᵀ W v with the stored u and v, after some power iterations in training: an estimate from below.
    #[default]
    Estimate,
    /// The spectral norm, by Lanczos to 1e-6.
    Converged,
    /// An upper bound that holds but for a share of start vectors. The weight is at most 1 in norm, rounding included.
    Probable {
        /// The failure probability of the bound.
        delta: f64,
    },
    /// A proven upper bound. The weight is at most 1 in norm, rounding included.
    Certified,
}

/// The words of a description, for the divisors without a number.
const WORDS: [(&str, Divisor); 3] =
    [("estimate", Divisor::Estimate), ("converged", Divisor::Converged), ("certified", Divisor::Certified)];

impl Divisor {
    /// The members `divisor` and `delta` of a description: with `delta`, the divisor is probable.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let (word, delta) = (members.among("divisor", &WORDS)?, members.or("delta", None)?);
        match (word, delta) {
            (word, None) => Ok(word.unwrap_or_default()),
            (None, Some(delta)) if delta > 0.0 && delta < 1.0 => Ok(Self::Probable { delta }),
            (None, Some(delta)) => members.refuse("delta", format!("{delta}"), "a number between 0 and 1"),
            (Some(_), Some(_)) => members.refuse("delta", "there beside `divisor`".to_string(), "there alone"),
        }
    }

    /// A description with the members that [`Divisor::described`] reads.
    pub(super) fn describe(self, weight: Description) -> Description {
        match (self, WORDS.iter().find(|(_, own)| *own == self)) {
            (Self::Probable { delta }, _) => weight.with("delta", delta),
            (Self::Estimate, _) | (_, None) => weight,
            (_, Some((word, _))) => weight.with("divisor", *word),
        }
    }
}
