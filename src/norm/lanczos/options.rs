//! The options of a Lanczos run.

use super::super::stop::Stop;
use crate::OpenEnded;
use crate::bound::krylov::MOST_CHAINS;
#[cfg(doc)]
use crate::operator::LinearOperator;
use crate::{Error, Result};

/// Golub-Kahan-Lanczos bidiagonalisation from a random start, with reorthogonalisation on the shorter side alone.
///
/// The steps build A V = U B and Aᵀ U = V Bᵀ + residual, with B bidiagonal. The singular values of B approach the
/// values of A from within, the largest first. A step takes two products. On a Gaussian 4096² matrix about 100 products
/// give six digits, where power iteration takes about 1500.
///
/// *Source*  Golub and Kahan, *Calculating the singular values and pseudo-inverse of a matrix*, 1965; one-sided
/// reorthogonalisation: Simon and Zha 2000.
///
/// On the host a matrix with sides up to 8 is solved whole, by Jacobi rotations, where only a value is asked for and no
/// vectors are given to start from. Its iterations are then sweeps over all pairs of columns.
///
/// All scalars stay on the device. The host reads the scalars of several steps at once, while the next steps run.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanczos {
    /// The aim of the run. Default: a value whose relative error is expected to be at most 1e-6, by residual and gap.
    pub stop: Stop,
    /// The failure probability of an upper bound, between 0 and 1. Default `None`: no such bound.
    ///
    /// The bound takes no product with the operator beyond those of the iteration; [`Stop::Bound`] has a probability of
    /// its own. The bound is that of the Krylov subspace of the first, random start, until that subspace is restarted
    /// or turns out invariant. So a warm start has no such bound.
    ///
    /// The host repeats the products of every step in `f64`, so that nothing is assumed of the device. With an operator
    /// without such products ([`LinearOperator::products_on_host`]) `delta` is an error. The proof is in
    /// `docs/bounds.md`.
    pub delta: Option<f64>,
    /// The number of Krylov subspaces for each batch item, from independent random starts. One pass over the
    /// operator serves all.
    ///
    /// The bound is the largest of the chains' bounds. Each of these may fail with probability delta^(1/chains),
    /// because the bound is wrong only if all fail. So more chains bring a closer bound, and rounding in `f32` hides
    /// less. The bound comes no closer than about 1e-6 / delta^(1/chains), relative, for a matrix whose products do not
    /// cancel. The vectors are those of the chain with the largest value.
    ///
    /// Default `None`: the fewest chains whose bound can come within the `rtol` of [`Stop::Bound`], or within 1e-3 for
    /// another aim; one chain without a bound.
    pub chains: Option<usize>,
    /// Whether to find the multiplicity of the largest singular value, with the vectors of each copy. Default `false`;
    /// [`Stop::Gradient`] does so in any case.
    ///
    /// A Krylov subspace shows a repeated value once. So the iteration, once converged, starts again from random
    /// vectors orthogonal to the copies found, until a start finds no further copy. The last start takes about as many
    /// steps as the first, and each copy takes further steps.
    ///
    /// Values within 2^-20 of each other, relative, count as copies. [`crate::norm::SpectralNorm::second`] and the gap
    /// are then of the next distinct value. The multiplicity is missing where steps or the basis do not suffice.
    pub multiplicity: bool,
    /// The limit of steps, of two products each. Default 1000.
    pub max_iter: usize,
    /// The seed of the start vectors; the same on every adapter. Default 0.
    pub seed: u64,
    /// Device memory for the Krylov basis, in bytes. Default 1 GiB. The iteration restarts from the best vector of a
    /// full basis.
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
    /// The failure probability of the upper bound, where one was asked for.
    pub(super) fn delta(&self) -> Option<f64> {
        match self.stop {
            Stop::Bound { delta, .. } => Some(delta),
            _ => self.delta,
        }
    }

    /// Refuses options out of range.
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
