//! The largest few singular triplets of an operator, from its whole matrix or from a Krylov space.

use faer::Mat;

use super::super::lanczos::{Chain, Goal, Lanczos, Run, State};
use super::candidate::Candidate;
use super::columns::Columns;
use super::ritz::orthonormal;
use super::triplets::{Triplet, Triplets};
use crate::bound::krylov::Share;
use crate::iterate::{Control, Status};
use crate::operator::{LinearOperator, Oriented, Settled};
use crate::{Error, Result};

/// Sides so short, by the work of decomposing the matrix (its shorter side squared times its longer one), that the host
/// does so in the time of a few hundred products.
const SMALL: f64 = (1u64 << 28) as f64;

/// A share of all triplets, one in so many, for which a Krylov space would have to be most of the shorter side.
const SHARE: usize = 4;

/// The most ranks whose vectors one submit combines.
const MOST_RANKS: u64 = 32;

impl Lanczos {
    /// The `count` largest singular triplets of each item.
    ///
    /// Where the shorter side is short, or a large share of all triplets is asked for, the operator is applied to the
    /// columns of the identity, and the host decomposes the matrix that they make. Else a Krylov space is grown. It
    /// shows a repeated singular value once; after its triplets have converged the iteration starts again from a
    /// random vector orthogonal to all that was found, until a start brings nothing that belongs to the largest; a
    /// decomposition on the space of what was found gives the triplets (Rayleigh and Ritz).
    ///
    /// Residuals are held against the tolerance of [`Lanczos::stop`], whichever it is; there is one chain, and no
    /// upper bound.
    ///
    /// ```
    /// use opnorm::{Device, Matrix, norm::Lanczos};
    /// let matrix = Matrix::from_slice(&Device::new()?, 3, 3, &[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0])?;
    /// let top = Lanczos::default().top(&matrix, 2)?;
    /// let values: Vec<f64> = top[0].values.iter().map(|triplet| triplet.sigma).collect();
    /// assert!((values[0] - 2.0).abs() < 1e-5 && (values[1] - 2.0).abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Lanczos::norm`]; [`Error::InvalidOption`] for a count of 0.
    pub fn top<O: LinearOperator + ?Sized>(&self, operator: &O, count: usize) -> Result<Vec<Triplets>> {
        operator.device().block_on(self.top_async(operator, count, Control::default()))
    }

    /// [`Lanczos::top`] with a control, and without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Lanczos::top`]; whatever the listener of the control returns.
    pub async fn top_async<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        count: usize,
        mut control: Control<'_>,
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
        let wanted: Vec<bool> = settled.iter().map(Option::is_none).collect();
        let columns = Columns { oriented: &oriented, wanted: &wanted, bytes: self.basis_bytes };
        let candidates = if !wanted.contains(&true) {
            settled.iter().map(|_| None).collect()
        } else if self.takes_whole(count, (oriented.short, oriented.long)) {
            columns.decomposed(count, &mut control).await?
        } else {
            self.searched(&columns, count, &mut control).await?
        };
        let found = columns.measured(candidates, self.stop.tolerance()).await?;
        let of_item = |(found, settled): (Option<Triplets>, &Option<Settled>)| match (found, settled) {
            (Some(found), _) => found,
            (None, Some(settled)) => Triplets::of_settled(*settled, count, &oriented),
            (None, None) => Triplets::without_values(Status::NonFinite, 0),
        };
        Ok(found.into_iter().zip(&settled).map(of_item).collect())
    }

    /// Whether the whole matrix is decomposed; within the products that the steps allow for.
    fn takes_whole(&self, count: usize, (short, long): (usize, usize)) -> bool {
        let work = short as f64 * short as f64 * long as f64;
        (work <= SMALL || count.saturating_mul(SHARE) >= short) && short.div_ceil(2) <= self.max_iter
    }

    /// Triplets on the span of what a Krylov space holds of them.
    async fn searched<O: LinearOperator + ?Sized>(
        &self,
        columns: &Columns<'_, O>,
        count: usize,
        control: &mut Control<'_>,
    ) -> Result<Vec<Option<Candidate>>> {
        let oriented = columns.oriented;
        let goal = Goal::Top { count, rtol: self.stop.tolerance() };
        let mut run = Run::new(self, oriented, goal, Share::without_bound(1))?;
        run.first_start(control)?;
        run.cycle(control).await?;
        let end = |chain: &Chain| {
            let status = if let State::Done(status) = chain.state { status } else { Status::MaxIterations };
            (status, chain.iterations.unwrap_or(0))
        };
        let ends: Vec<(Status, usize)> = run.chains.iter().map(end).collect();
        let spans = run.spans(oriented, count).await?;
        let bases: Vec<Mat<f64>> = spans
            .iter()
            .zip(&ends)
            .map(|(span, (status, _))| {
                let given = span.len() / oriented.short;
                let vectors =
                    Mat::from_fn(oriented.short, given, |row, col| f64::from(span[col * oriented.short + row]));
                // What a run that ended believes to be zero is any vector orthogonal to the rest.
                let complete = matches!(status, Status::Converged | Status::Zero);
                orthonormal(vectors.as_ref(), if complete { count } else { given })
            })
            .collect();
        columns.projected(bases, count, &ends, self.stop.tolerance()).await
    }
}

impl<O: LinearOperator + ?Sized> Run<'_, O> {
    /// The right vectors on the short side of the leading triplets that each chain holds, one after the other, `count`
    /// at the most.
    async fn spans(&self, oriented: &Oriented<'_, O>, count: usize) -> Result<Vec<Vec<f32>>> {
        let short = oriented.short;
        let coefficients: Vec<Vec<Vec<f64>>> = self.chains.iter().map(|chain| chain.leading_vectors(count)).collect();
        let most = coefficients.iter().map(Vec::len).max().unwrap_or(0);
        let mut spans = vec![Vec::new(); self.chains.len()];
        // Each rank takes one pass over the basis; a submit holds as many ranks as it can afford.
        let device = oriented.operator.device();
        let steps = coefficients.iter().flatten().map(Vec::len).max().unwrap_or(0);
        let pass = (4 * (short * self.chains.len()) as u64).saturating_mul(steps as u64).max(1);
        let affordable = (device.capabilities().profile.bytes_per_submit / pass).clamp(1, MOST_RANKS) as usize;
        for first in (0..most).step_by(affordable) {
            let mut recorder = device.recorder();
            let mut reading = Vec::new();
            for rank in first..most.min(first + affordable) {
                let row = |vectors: &Vec<Vec<f64>>| vectors.get(rank).cloned().unwrap_or_default();
                let rows: Vec<Vec<f64>> = coefficients.iter().map(row).collect();
                let fresh = oriented.short_zeros(1)?;
                self.basis.combine(&mut recorder, &rows, fresh.buffer())?;
                reading.push((rank, recorder.read(fresh.buffer())?));
            }
            recorder.submit_async().await?;
            for (rank, reading) in reading {
                let found = reading.contents().await?;
                for (item, span) in spans.iter_mut().enumerate().filter(|(item, _)| rank < coefficients[*item].len()) {
                    span.extend_from_slice(&found[item * short..(item + 1) * short]);
                }
            }
        }
        Ok(spans)
    }
}

impl Triplets {
    /// The triplets that are known without a product: a zero operator has zeros, with unit vectors.
    fn of_settled<O: LinearOperator + ?Sized>(settled: Settled, count: usize, oriented: &Oriented<'_, O>) -> Self {
        let unit = |size: usize, rank: usize| (0..size).map(|index| if index == rank { 1.0 } else { 0.0 }).collect();
        let (left, right) = match oriented.transposed {
            true => (oriented.short, oriented.long),
            false => (oriented.long, oriented.short),
        };
        let zero = |rank| Triplet { sigma: 0.0, left: unit(left, rank), right: unit(right, rank), residual: 0.0 };
        let zeros = if settled.status == Status::Zero { count } else { 0 };
        Self {
            values: (0..zeros).map(zero).collect(),
            non_finite: settled.non_finite,
            ..Self::without_values(settled.status, 0)
        }
    }
}
