//! A proven enclosure of one norm, with its prover.

use std::fmt;

use super::host::Proof;
use crate::norm::{Arithmetic, Bounds, Guarantee};
use crate::tensor::screen::scale_by_power;

/// The prover of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prover {
    /// The host alone, in `f64`.
    Host,
    /// The device, in `f32`, and the host.
    Device,
}

impl Prover {
    /// `host` or `device`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Device => "device",
        }
    }
}

/// As [`Prover::as_str`].
impl fmt::Display for Prover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A proven enclosure of one spectral norm.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Certificate {
    /// An estimate within the bounds; NaN where an entry is not finite.
    pub sigma: f64,
    /// The bounds; [`Bounds::NONE`] where an entry is not finite.
    pub bounds: Bounds,
}

/// `7.87298 in [7.87298, 7.87299], certified`; the precision is the number of significant digits (6).
impl fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bounds.fmt_around(self.sigma, formatter)
    }
}

impl Certificate {
    pub(super) const NON_FINITE: Self = Self { sigma: f64::NAN, bounds: Bounds::NONE };

    pub(super) const ZERO: Self =
        Self { sigma: 0.0, bounds: Bounds { lower: 0.0, upper: 0.0, guarantee: Prover::Host.guarantee() } };

    /// The certificate of a matrix, from a proof for 2^-exponent times that matrix.
    pub(super) fn new(proof: &Proof, exponent: i32, prover: Prover) -> Self {
        let bounds = Bounds { lower: proof.lower, upper: proof.upper, guarantee: prover.guarantee() };
        Self { sigma: scale_by_power(proof.sigma, exponent), bounds: bounds.scaled(exponent) }
    }
}

impl Prover {
    const fn guarantee(self) -> Guarantee {
        let arithmetic = match self {
            Self::Host => Arithmetic::Host,
            Self::Device => Arithmetic::Wgsl,
        };
        Guarantee::Certified { arithmetic }
    }
}
