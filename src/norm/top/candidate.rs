//! Singular triplets as the host decomposed them, and what their residuals make of them.

use faer::{Mat, MatRef};

use super::columns::{Columns, Side, WIDEST};
use super::ritz::{Ritz, beside, orthonormal};
use super::triplets::{Triplet, Triplets};
use crate::Result;
use crate::iterate::{Control, Progress, Status};
use crate::operator::LinearOperator;
use crate::tensor::screen::scale_by_power;

/// The triplets that a run found for one batch element, before their residuals are known.
pub(super) struct Candidate {
    /// In units of the operator's products; none where a product is not finite.
    ritz: Option<Ritz>,
    status: Status,
    iterations: usize,
}

impl Candidate {
    /// The triplets on the span of `basis`, the whole space where there is none, from products of `long` elements each.
    pub(super) fn of_products(
        basis: Option<MatRef<'_, f64>>,
        products: &[f32],
        (long, count): (usize, usize),
        (status, iterations): (Status, usize),
    ) -> Self {
        let size = products.len() / long;
        let products = Mat::from_fn(long, size, |row, col| f64::from(products[col * long + row]));
        let ritz = Ritz::on(basis, products.as_ref()).map(|ritz| ritz.truncated(count));
        Self { ritz, status, iterations }
    }
}

impl<O: LinearOperator + ?Sized> Columns<'_, O> {
    /// Triplets of the whole matrix, whose columns are the products of the unit vectors.
    pub(super) async fn decomposed(&self, count: usize, control: &mut Control<'_>) -> Result<Vec<Option<Candidate>>> {
        let (short, long) = (self.oriented.short, self.oriented.long);
        let write = |_: usize, column: usize, place: &mut [f32]| place[column] = 1.0;
        let items = self.wanted.len();
        let mut longest = 0.0f64;
        let mut passed = |columns: usize, products: &[Vec<f32>]| {
            let first = self.wanted.iter().position(|wanted| *wanted).unwrap_or(0);
            // No column is longer than the norm.
            let length = |column: &[f32]| column.iter().map(|entry| f64::from(*entry).powi(2)).sum::<f64>().sqrt();
            longest = products[first].rchunks_exact(long).take(WIDEST).map(length).fold(longest, f64::max);
            let done = if columns == short { items } else { self.wanted.iter().filter(|wanted| !**wanted).count() };
            control.report(|| Progress {
                iterations: columns.div_ceil(2),
                sigma: scale_by_power(longest, self.oriented.operator.exponent(first)),
                ..Progress::new("Lanczos", "products of the unit vectors", done, items)
            })
        };
        let products = self.products(Side::Short, short, &write, &mut passed).await?;
        let run = (Status::Converged, short.div_ceil(2));
        let candidate = |products: &Vec<f32>| Candidate::of_products(None, products, (long, count), run);
        let candidates = products.iter().zip(self.wanted);
        Ok(candidates.map(|(products, wanted)| wanted.then(|| candidate(products))).collect())
    }

    /// Triplets on the spans of orthonormal columns, which residuals above a part of the tolerance extend.
    ///
    /// A space that broke down is invariant but for rounding, which may be as large as the tolerance: what is left of
    /// Aᵀu - sigma v then tells which directions the space lacks.
    pub(super) async fn projected(
        &self,
        mut bases: Vec<Mat<f64>>,
        count: usize,
        ends: &[(Status, usize)],
        rtol: f64,
    ) -> Result<Vec<Option<Candidate>>> {
        let long = self.oriented.long;
        let mut round = 0;
        loop {
            let widest = bases.iter().map(Mat::ncols).max().unwrap_or(0);
            let write = |item: usize, column: usize, place: &mut [f32]| {
                if column < bases[item].ncols() {
                    narrow(&bases[item], column, place);
                }
            };
            let products = self.products(Side::Short, widest, &write, &mut |_, _| Ok(())).await?;
            let candidate = |item: usize| {
                let basis = bases[item].as_ref();
                let products = &products[item][..basis.ncols() * long];
                Candidate::of_products(Some(basis), products, (long, count), ends[item])
            };
            let candidates: Vec<Option<Candidate>> =
                self.wanted.iter().enumerate().map(|(item, wanted)| wanted.then(|| candidate(item))).collect();
            let missing = if round < ROUNDS { self.missing(&candidates, count, rtol).await? } else { Vec::new() };
            if missing.iter().all(|missing| missing.ncols() == 0) {
                return Ok(candidates);
            }
            for (item, missing) in missing.iter().enumerate().filter(|(_, missing)| missing.ncols() > 0) {
                if let Some(ritz) = candidates[item].as_ref().and_then(|candidate| candidate.ritz.as_ref()) {
                    let size = (ritz.values.len() + missing.ncols()).min(self.oriented.short);
                    let extended = beside(&ritz.short, missing);
                    bases[item] = orthonormal(extended.subcols(0, size), size);
                }
            }
            round += 1;
        }
    }

    /// Aᵀu - sigma v of the triplets of which it is too large, as columns; none of a run that did not end by itself.
    async fn missing(&self, candidates: &[Option<Candidate>], count: usize, rtol: f64) -> Result<Vec<Mat<f64>>> {
        let ritz = |item: usize| {
            let candidate = candidates[item].as_ref();
            let ended = candidate.filter(|candidate| matches!(candidate.status, Status::Converged | Status::Zero));
            ended.and_then(|candidate| candidate.ritz.as_ref())
        };
        let write = |item: usize, column: usize, place: &mut [f32]| {
            if let Some(ritz) = ritz(item).filter(|ritz| column < ritz.values.len()) {
                narrow(&ritz.long, column, place);
            }
        };
        let products = self.products(Side::Long, count, &write, &mut |_, _| Ok(())).await?;
        let short = self.oriented.short;
        let of_item = |item: usize| {
            let Some(ritz) = ritz(item) else { return Mat::zeros(short, 0) };
            let residual = |row: usize, rank: usize| {
                f64::from(products[item][rank * short + row]) - ritz.values[rank] * ritz.short[(row, rank)]
            };
            let length = |rank: usize| (0..short).map(|row| residual(row, rank).powi(2)).sum::<f64>().sqrt();
            let largest = ritz.values.first().copied().unwrap_or(0.0);
            let far: Vec<usize> =
                (0..ritz.values.len()).filter(|rank| length(*rank) > ENOUGH * rtol * largest).collect();
            Mat::from_fn(short, far.len(), |row, col| residual(row, far[col]))
        };
        Ok((0..candidates.len()).map(of_item).collect())
    }

    /// The triplets with their residuals, by products with the vectors as they are handed out.
    pub(super) async fn measured(
        &self,
        candidates: Vec<Option<Candidate>>,
        rtol: f64,
    ) -> Result<Vec<Option<Triplets>>> {
        let ritz = |item: usize| candidates[item].as_ref().and_then(|candidate| candidate.ritz.as_ref());
        let count = (0..candidates.len()).filter_map(ritz).map(|ritz| ritz.values.len()).max().unwrap_or(0);
        let column = |side: Side| {
            move |item: usize, column: usize, place: &mut [f32]| {
                let Some(ritz) = ritz(item).filter(|ritz| column < ritz.values.len()) else { return };
                narrow(if side == Side::Short { &ritz.short } else { &ritz.long }, column, place);
            }
        };
        let nothing = &mut |_: usize, _: &[Vec<f32>]| Ok(());
        let forward = self.products(Side::Short, count, &column(Side::Short), nothing).await?;
        let backward = self.products(Side::Long, count, &column(Side::Long), nothing).await?;
        let measured = candidates.into_iter().zip(forward.iter().zip(&backward)).enumerate();
        Ok(measured
            .map(|(item, (candidate, (forward, backward)))| {
                candidate.map(|candidate| self.triplets(item, candidate, (forward, backward), rtol))
            })
            .collect())
    }

    /// The triplets of one item, from the products with its vectors.
    fn triplets(
        &self,
        item: usize,
        candidate: Candidate,
        (forward, backward): (&[f32], &[f32]),
        rtol: f64,
    ) -> Triplets {
        let Some(ritz) = candidate.ritz else {
            return Triplets::without_values(Status::NonFinite, candidate.iterations);
        };
        let (short, long) = (self.oriented.short, self.oriented.long);
        let exponent = self.oriented.operator.exponent(item);
        let largest = ritz.values.first().copied().unwrap_or(0.0);
        let mut worst = 0.0f64;
        let values = ritz.values.iter().enumerate().map(|(rank, sigma)| {
            let (mut on_short, mut on_long) = (vec![0f32; short], vec![0f32; long]);
            narrow(&ritz.short, rank, &mut on_short);
            narrow(&ritz.long, rank, &mut on_long);
            let residual = distance(&forward[rank * long..(rank + 1) * long], *sigma, &on_long).hypot(distance(
                &backward[rank * short..(rank + 1) * short],
                *sigma,
                &on_short,
            ));
            // A residual that is not a number is worse than any.
            worst = if residual.is_nan() { f64::INFINITY } else { worst.max(residual) };
            let (left, right) = if self.oriented.transposed { (on_short, on_long) } else { (on_long, on_short) };
            let scaled = |value| scale_by_power(value, exponent);
            Triplet { sigma: scaled(*sigma), left, right, residual: scaled(residual) }
        });
        let values = values.collect();
        let status = match candidate.status {
            Status::Converged | Status::Zero if worst == 0.0 && largest == 0.0 => Status::Zero,
            Status::Converged | Status::Zero if worst <= rtol * largest => Status::Converged,
            Status::Converged | Status::Zero => Status::Stagnated,
            other => other,
        };
        Triplets { values, status, iterations: candidate.iterations, non_finite: None }
    }
}

/// Times that a space is extended at the most.
const ROUNDS: usize = 3;

/// The part of the tolerance that residuals on a span may take; rounding the vectors to `f32` adds to them.
const ENOUGH: f64 = 0.5;

/// Puts a column, rounded, in its place.
fn narrow(vectors: &Mat<f64>, column: usize, place: &mut [f32]) {
    place.iter_mut().zip(vectors.col(column).iter()).for_each(|(place, entry)| *place = *entry as f32);
}

/// |product - sigma · vector|
fn distance(product: &[f32], sigma: f64, vector: &[f32]) -> f64 {
    let off = |(product, entry): (&f32, &f32)| (f64::from(*product) - sigma * f64::from(*entry)).powi(2);
    product.iter().zip(vector).map(off).sum::<f64>().sqrt()
}
