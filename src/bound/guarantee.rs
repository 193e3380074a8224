//! The kinds of statement that bounds are.

use std::fmt;

/// The kind of statement that bounds are.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Guarantee {
    /// None: there are no bounds but 0 and infinity.
    None,
    /// The lower bound is proven, all rounding included; there is no upper bound.
    Lower,
    /// Both bounds hold, but for at most the share `delta` of all start vectors.
    ///
    /// The share is over the random start of one run, for a matrix fixed before the start is drawn. Any seed serves,
    /// unless the matrix was made with the same generator; [`crate::norm::seed_from_system`] gives an independent seed.
    /// Rounding is included: the host measures every step, of a Jacobian some steps (`docs/bounds.md`, P7). Bounds of a
    /// Jacobian are of the function's exact derivative, not of the derivative that the device evaluated.
    Probabilistic {
        /// The failure probability of the bounds.
        delta: f64,
    },
    /// Both bounds are proven, all rounding included.
    Certified {
        /// The arithmetic that the proof takes for granted.
        arithmetic: Arithmetic,
    },
}

/// The arithmetic that a proof takes for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arithmetic {
    /// The arithmetic of the host alone: IEEE 754 `f64`, rounded to nearest.
    Host,
    /// The host's arithmetic, and the device's `f32` as WGSL promises: sums and products within one unit in the last
    /// place (unit roundoff 2^-23), in any order, subnormal numbers flushed or not.
    Wgsl,
}

impl Guarantee {
    /// `none`, `lower`, `probabilistic` or `certified`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lower => "lower",
            Self::Probabilistic { .. } => "probabilistic",
            Self::Certified { .. } => "certified",
        }
    }

    /// The failure probability of the bounds, where there is one.
    pub fn delta(self) -> Option<f64> {
        match self {
            Self::Probabilistic { delta } => Some(delta),
            _ => None,
        }
    }

    /// The arithmetic that a proof takes for granted, where there is a proof.
    pub fn arithmetic(self) -> Option<Arithmetic> {
        match self {
            Self::Certified { arithmetic } => Some(arithmetic),
            _ => None,
        }
    }

    /// The guarantee of a statement that needs both guarantees.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::Lower, _) | (_, Self::Lower) => Self::Lower,
            (Self::Probabilistic { delta }, Self::Probabilistic { delta: other }) => {
                Self::Probabilistic { delta: (delta + other).min(1.0) }
            }
            (probable @ Self::Probabilistic { .. }, Self::Certified { .. })
            | (Self::Certified { .. }, probable @ Self::Probabilistic { .. }) => probable,
            (Self::Certified { arithmetic }, Self::Certified { arithmetic: other }) => {
                let arithmetic = if arithmetic == other { arithmetic } else { Arithmetic::Wgsl };
                Self::Certified { arithmetic }
            }
        }
    }
}

/// As [`Guarantee::as_str`].
impl fmt::Display for Guarantee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Arithmetic {
    /// `host` or `wgsl`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Wgsl => "wgsl",
        }
    }
}

/// As [`Arithmetic::as_str`].
impl fmt::Display for Arithmetic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
