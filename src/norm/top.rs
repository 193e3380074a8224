//! The largest few singular triplets.

use super::chain::{Chain, Goal};
use super::control::Control;
use super::finish::{Found, Oriented, finish};
use super::lanczos::{Lanczos, Run};
use super::probable::Share;
use super::result::Status;
use super::stop::Stop;
use crate::operator::LinearOperator;
use crate::tensor::Position;
use crate::{Error, Result};

/// One singular triplet.
#[derive(Clone, Debug, PartialEq)]
pub struct Triplet {
    /// The singular value.
    pub sigma: f64,
    /// The left singular vector.
    pub left: Vec<f32>,
    /// The right singular vector.
    pub right: Vec<f32>,
    /// √(|Av - sigma u|² + |Aᵀu - sigma v|²)
    pub residual: f64,
}

/// The largest singular triplets of one item, largest first; copies of a repeated value each count.
#[derive(Clone, Debug, PartialEq)]
pub struct Triplets {
    /// The triplets: fewer than asked for where the operator has fewer, none for a zero or non-finite one.
    pub values: Vec<Triplet>,
    /// How the run ended.
    pub status: Status,
    /// Steps of the iteration.
    pub iterations: usize,
    /// The first entry that is NaN or infinite, where the operator knows its entries.
    pub non_finite: Option<Position>,
}

impl Lanczos {
    /// The `count` largest singular triplets of each item.
    ///
    /// A Krylov space shows a repeated singular value once; after its triplets have converged the iteration starts again
    /// from a random vector orthogonal to all that was found, until a start brings nothing that belongs to the largest.
    /// Residuals are held against the tolerance of [`Lanczos::stop`], whichever it is; there is one chain, and no upper bound.
    ///
    /// ```
    /// use opnorm::{Gpu, Matrix, norm::{Control, Lanczos}};
    /// let matrix = Matrix::from_slice(&Gpu::new()?, 3, 3, &[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0])?;
    /// let top = Lanczos::default().top(&matrix, 2, Control::default())?;
    /// let values: Vec<f64> = top[0].values.iter().map(|triplet| triplet.sigma).collect();
    /// assert!((values[0] - 2.0).abs() < 1e-5 && (values[1] - 2.0).abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Lanczos::norm_with`]; [`Error::InvalidOption`] for a count of 0.
    pub fn top<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        count: usize,
        control: Control<'_>,
    ) -> Result<Vec<Triplets>> {
        operator.gpu().block_on(self.top_async(operator, count, control))
    }

    /// [`Lanczos::top`] without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Lanczos::top`].
    pub async fn top_async<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        count: usize,
        control: Control<'_>,
    ) -> Result<Vec<Triplets>> {
        self.check()?;
        if count == 0 {
            return Err(Error::InvalidOption {
                operation: "top",
                option: "count",
                value: "0".to_string(),
                allowed: "at least 1",
            });
        }
        let oriented = Oriented::shorter_side_first(operator);
        let settled = oriented.settled();
        let count = count.min(oriented.short);
        let goal = Goal::Top { count, rtol: self.stop.tolerance() };
        let share = Share::without_bound(1);
        let mut run = Run::new(self, &oriented, &settled, goal, (share, control))?;
        if settled.iter().any(Option::is_none) {
            run.first_start()?;
            run.cycle().await?;
        }
        let mut results: Vec<Triplets> = run
            .chains
            .iter()
            .zip(&settled)
            .map(|(chain, settled)| Triplets {
                values: Vec::new(),
                status: settled.as_ref().map_or(chain.done.unwrap_or(Status::MaxIterations), |settled| settled.status),
                iterations: run.iterations,
                non_finite: settled.as_ref().and_then(|settled| settled.non_finite),
            })
            .collect();
        let triplets: Vec<_> = run.chains.iter().map(Chain::leading_triplets).collect();
        for rank in 0..count {
            let wanted = |item: usize| settled[item].is_none().then(|| triplets[item].get(rank)).flatten();
            let coefficients: Vec<Vec<f64>> =
                (0..results.len()).map(|item| wanted(item).map_or(Vec::new(), |triplet| triplet.1.clone())).collect();
            let found: Vec<_> = (0..results.len())
                .map(|item| {
                    let usable = wanted(item).is_some_and(|triplet| triplet.0 > 0.0);
                    let status = if usable { Status::Converged } else { Status::Zero };
                    settled[item].is_none().then_some(Found::of(status))
                })
                .collect();
            let vectors = oriented.short_zeros(1)?;
            let mut recorder = operator.gpu().recorder();
            run.basis.combine(&mut recorder, &coefficients, vectors.buffer())?;
            recorder.submit()?;
            let any = Stop::Value { rtol: f64::INFINITY };
            let factors = &run.memory.factors;
            let norms = finish(&oriented, factors, &vectors, &found, settled.clone(), (any, 0)).await?;
            for (item, norm) in norms.items().iter().enumerate() {
                if settled[item].is_some() || wanted(item).is_none() {
                    continue;
                }
                results[item].values.push(Triplet {
                    sigma: norm.sigma,
                    left: norms.vector(norms.left(), item).await?,
                    right: norms.vector(norms.right(), item).await?,
                    residual: norm.residual.norm(),
                });
            }
        }
        for result in &mut results {
            result.values.sort_by(|left, right| right.sigma.total_cmp(&left.sigma));
        }
        Ok(results)
    }
}

impl Chain {
    /// Singular values with the coefficients of their vectors on the short side, largest first; slots that were left
    /// empty where a chain broke down count for nothing.
    fn leading_triplets(&self) -> Vec<(f64, Vec<f64>)> {
        let mut triplets: Vec<_> =
            self.matrix().triplets().into_iter().map(|(sigma, _, right)| (sigma, right)).collect();
        triplets.truncate(self.dimensions());
        triplets
    }
}
