//! The options of a Lanczos run.

use super::super::stop::Stop;
use crate::OpenEnded;
use crate::bound::krylov::MOST_CHAINS;
#[cfg(doc)]
use crate::operator::LinearOperator;
use crate::{Error, Result};

/// Golub-Kahan-Lanczos bidiagonalisation from a random start, with reorthogonalisation on the shorter side alone.
///
/// It builds A V = U B and Aᵀ U = V Bᵀ + residual, step by step, with B bidiagonal; the singular values of B approach
/// those of A from within, the largest first (Golub and Kahan, *Calculating the singular values and pseudo-inverse of a
/// matrix*, 1965; one-sided reorthogonalisation: Simon and Zha 2000). A step takes two products; on a Gaussian 4096²
/// matrix about 100 products give six digits, where power iteration takes some fifteen hundred.
///
/// All scalars stay on the device; the host reads them once for several steps, while the next steps run.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanczos {
    /// When it is done. Default: once the relative error of sigma that residual and gap let one expect is 1e-6.
    pub stop: Stop,
    /// The probability, between 0 and 1, with which an upper bound of the norm may fail; `None`, the default, for no
    /// such bound. It takes no product of its own; [`Stop::Bound`] brings its own probability.
    ///
    /// The bound is that of the Krylov space of the first, random start, until the space is restarted or turns out
    /// invariant: a warm start has none. Every step is measured by products of the host in `f64`, so that nothing is
    /// assumed of the device; an operator without such products ([`LinearOperator::products_on_host`]) has no such
    /// bound, and asking for one is an error. The proof is in `docs/bounds.md`.
    pub delta: Option<f64>,
    /// Krylov spaces of independent random starts for each item, side by side; a pass over the operator serves them
    /// all.
    ///
    /// The bound is the largest of theirs, each of which may then fail with probability delta^(1/chains): the bound is
    /// wrong only if all are. The more chains, the closer the bound, and the less rounding in `f32` stands in its way:
    /// it comes no closer than about 1e-6 / delta^(1/chains), relative, for a matrix whose products do not cancel. The
    /// vectors are those of the best chain. `None`, the default, takes as few as let a bound come within the `rtol` of
    /// [`Stop::Bound`], or else within 1e-3; one chain without a bound.
    pub chains: Option<usize>,
    /// Whether to count the copies of the largest singular value, and keep the vectors of each. [`Stop::Gradient`]
    /// does so in any case. Default `false`.
    ///
    /// A Krylov space shows a repeated value once. So once it has converged the iteration starts again from random
    /// vectors orthogonal to the copies found, until one brings nothing as large: about as many steps again for the
    /// last start, and some for each copy. Values within 2^-20 of each other, relative, are copies.
    /// [`crate::norm::SpectralNorm::second`] and the gap are then of the next distinct value. A count is missing where
    /// steps or the basis do not suffice for it.
    pub multiplicity: bool,
    /// Steps at the most. Default 1000.
    pub max_iter: usize,
    /// The seed of the start vectors; the same on every adapter. Default 0.
    pub seed: u64,
    /// Device memory for the Krylov basis, in bytes; past it the iteration starts again from the best vector so far.
    /// Default 1 GiB.
    pub basis_bytes: u64,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl Default for Lanczos {
    fn default() -> Self {
        Self {
            stop: Stop::default(),
            delta: None,
            chains: None,
            multiplicity: false,
            max_iter: 1000,
            seed: 0,
            basis_bytes: 1 << 30,
            open_ended: OpenEnded::default(),
        }
    }
}

impl Lanczos {
    /// The probability with which the upper bound may fail, where one is asked for.
    pub(super) fn delta(&self) -> Option<f64> {
        match self.stop {
            Stop::Bound { delta, .. } => Some(delta),
            _ => self.delta,
        }
    }

    /// Refuses options that mean nothing.
    pub(in crate::norm) fn check(&self) -> Result<()> {
        let refuse =
            |option, value: String, allowed| Err(Error::InvalidOption { operation: "Lanczos", option, value, allowed });
        self.stop.check()?;
        for delta in [self.delta, self.delta()].into_iter().flatten() {
            if !(delta > 0.0 && delta < 1.0) {
                return refuse("delta", format!("{delta:e}"), "between 0 and 1, neither included");
            }
        }
        if let Some(chains) = self.chains.filter(|chains| !(1..=MOST_CHAINS).contains(chains)) {
            return refuse("chains", chains.to_string(), "from 1 to 64");
        }
        if self.max_iter == 0 {
            return refuse("max_iter", self.max_iter.to_string(), "at least 1");
        }
        Ok(())
    }
}
