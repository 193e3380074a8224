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
    /// The aim of the run. Default: a value whose relative error is expected to be at most 1e-6, by residual and gap.
    pub stop: Stop,
    /// The failure probability of an upper bound, between 0 and 1. Default `None`: no such bound.
    ///
    /// The bound takes no product with the operator beyond those of the iteration; [`Stop::Bound`] has a probability
    /// of its own. The bound is that of the Krylov subspace of the first, random start, until that subspace is
    /// restarted or turns out invariant. So a warm start has none.
    ///
    /// The host repeats the products of every step in `f64`, so that nothing is assumed of the device. An operator
    /// without such products ([`LinearOperator::products_on_host`]) has no such bound, and `delta` is then an error.
    /// The proof is in `docs/bounds.md`.
    pub delta: Option<f64>,
    /// The number of Krylov subspaces for each batch item, from independent random starts. One pass over the
    /// operator serves all.
    ///
    /// The bound is the largest of their bounds, each of which may fail with probability delta^(1/chains): the bound is
    /// wrong only if all are. More chains bring a closer bound, because each may then fail more often and rounding in
    /// `f32` hides less: the bound comes no closer than about 1e-6 / delta^(1/chains), relative, for a matrix whose
    /// products do not cancel. The vectors are those of the chain with the largest value.
    ///
    /// Default `None`: the fewest chains whose bound can come within the `rtol` of [`Stop::Bound`], or within 1e-3 for
    /// another aim; one chain without a bound.
    pub chains: Option<usize>,
    /// Whether to find the multiplicity of the largest singular value, with the vectors of each copy. Default `false`;
    /// [`Stop::Gradient`] does so in any case.
    ///
    /// A Krylov subspace shows a repeated value once. So the iteration starts again, after it has converged, from
    /// random vectors orthogonal to the copies found, until a start brings nothing as large. The last start takes
    /// about as many steps as the first, and each copy takes some.
    ///
    /// Values within 2^-20 of each other, relative, count as copies. [`crate::norm::SpectralNorm::second`] and the gap
    /// are then of the next distinct value. The multiplicity is missing where steps or the basis do not suffice.
    pub multiplicity: bool,
    /// The most steps, of two products each. Default 1000.
    pub max_iter: usize,
    /// The seed of the start vectors; the same on every adapter. Default 0.
    pub seed: u64,
    /// Device memory for the Krylov basis, in bytes. Default 1 GiB. A basis that is full is given up for its best
    /// vector, from which the iteration starts again.
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
