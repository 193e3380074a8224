//! From vectors to results: the last products, the residuals, and the lower bound that the host proves.

use super::memory::Memory;
use super::result::{Residual, SpectralNorms};
use super::stop::Stop;
use super::{Bounds, Guarantee, SpectralNorm, Status};
use crate::Result;
use crate::bound::Ball;
use crate::gpu::{Buffer, Recorder};
use crate::operator::{Knowledge, LinearOperator, length, products_on_host};
use crate::ops;
use crate::tensor::Tensor;
use crate::tensor::screen::{binary_exponent, scale_by_power};

/// An operator with its shorter side as the side that iterations start from.
pub(super) struct Oriented<'a, O: ?Sized> {
    pub(super) operator: &'a O,
    /// Whether the shorter side is the codomain, so that products go by the transpose.
    pub(super) transposed: bool,
    pub(super) short: usize,
    pub(super) long: usize,
    short_shape: Vec<usize>,
    long_shape: Vec<usize>,
}

impl<'a, O: LinearOperator + ?Sized> Oriented<'a, O> {
    /// The operator as it is, or transposed where its codomain is shorter.
    pub(super) fn shorter_side_first(operator: &'a O) -> Self {
        let transposed = length(&operator.codomain()) < length(&operator.domain());
        Self::new(operator, transposed)
    }

    pub(super) fn new(operator: &'a O, transposed: bool) -> Self {
        let (domain, codomain) = (operator.domain(), operator.codomain());
        let (short, long) = if transposed { (codomain, domain) } else { (domain, codomain) };
        Self { operator, transposed, short: length(&short), long: length(&long), short_shape: short, long_shape: long }
    }

    /// Products of the host with vectors of each item, from the short to the long side where `forward`.
    pub(super) async fn on_host(&self, forward: bool, inputs: Vec<Vec<Ball>>) -> Result<Option<Vec<Vec<Ball>>>> {
        products_on_host(self.operator, forward == self.transposed, inputs).await
    }

    /// Batch × columns × one vector.
    fn shape(&self, columns: usize, vector: &[usize]) -> Vec<usize> {
        [&[self.operator.batch(), columns], vector].concat()
    }

    /// The tensor as batch × columns × short and as batch × columns × long, by how many elements it has.
    fn shaped(
        &self,
        (from, from_shape): (&Tensor, &[usize]),
        (to, to_shape): (&Tensor, &[usize]),
    ) -> Result<(Tensor, Tensor)> {
        let columns = from.len().checked_div(self.operator.batch() * length(from_shape)).unwrap_or(1);
        Ok((from.reshaped(&self.shape(columns, from_shape))?, to.reshaped(&self.shape(columns, to_shape))?))
    }

    /// Records the product from the short to the long side.
    pub(super) fn forward(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        from: &Tensor,
        to: &Tensor,
    ) -> Result<()> {
        let (from, to) = self.shaped((from, &self.short_shape), (to, &self.long_shape))?;
        self.product(recorder, mask, self.transposed, (&from, &to))
    }

    /// Records the product from the long to the short side.
    pub(super) fn backward(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        from: &Tensor,
        to: &Tensor,
    ) -> Result<()> {
        let (from, to) = self.shaped((from, &self.long_shape), (to, &self.short_shape))?;
        self.product(recorder, mask, !self.transposed, (&from, &to))
    }

    fn product(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        adjoint: bool,
        (from, to): (&Tensor, &Tensor),
    ) -> Result<()> {
        recorder.masked(mask, |recorder| match adjoint {
            true => self.operator.apply_adjoint(recorder, from, to),
            false => self.operator.apply(recorder, from, to),
        })
    }

    pub(super) fn short_zeros(&self, columns: usize) -> Result<Tensor> {
        Tensor::zeros(self.operator.gpu(), &self.shape(columns, &self.short_shape))
    }

    pub(super) fn long_zeros(&self, columns: usize) -> Result<Tensor> {
        Tensor::zeros(self.operator.gpu(), &self.shape(columns, &self.long_shape))
    }

    /// What is settled about each item before any product: a zero or non-finite item, or an empty operator.
    pub(super) fn settled(&self) -> Vec<Option<SpectralNorm>> {
        let empty = self.short == 0 || self.long == 0;
        let items = 0..self.operator.batch();
        items
            .map(|item| match self.operator.knowledge(item) {
                Knowledge::NonFinite(position) => {
                    Some(SpectralNorm::without_vectors(Status::NonFinite, Some(position)))
                }
                Knowledge::Zero => Some(SpectralNorm::without_vectors(Status::Zero, None)),
                Knowledge::Nothing if empty => Some(SpectralNorm::without_vectors(Status::Zero, None)),
                Knowledge::Nothing => None,
            })
            .collect()
    }
}

/// What an iteration found for one item, in units of the operator's products.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Converged or out of iterations, as the iteration believes; zero or non-finite where a product was.
    pub(super) status: Status,
    pub(super) second: Option<f64>,
    pub(super) iterations: usize,
    /// Whether every singular value of the operator was seen, so that one without a second has none.
    pub(super) complete: bool,
    /// Copies of the largest singular value, where they were counted.
    pub(super) multiplicity: Option<usize>,
    /// An upper bound, where one was asked for, and the probability that it fails with.
    pub(super) upper: Option<(f64, f64)>,
}

impl Found {
    /// A run that ended so, and knows nothing else.
    pub(super) fn of(status: Status) -> Self {
        Self { status, second: None, iterations: 0, complete: false, multiplicity: None, upper: None }
    }
}

/// Products, residuals and bounds for vectors that an iteration found on the short side of an operator.
pub(super) async fn finish<O: LinearOperator + ?Sized>(
    oriented: &Oriented<'_, O>,
    factors: &Buffer<f32>,
    vectors: &Tensor,
    found: &[Option<Found>],
    settled: Vec<Option<SpectralNorm>>,
    (stop, products): (Stop, usize),
) -> Result<SpectralNorms> {
    let gpu = oriented.operator.gpu();
    let batch = found.len();
    let usable: Vec<bool> = found
        .iter()
        .map(|found| found.as_ref().is_some_and(|found| !matches!(found.status, Status::Zero | Status::NonFinite)))
        .collect();
    let last = Memory { factors: factors.clone(), ..Memory::new(gpu, &usable)? };
    let (short, long) = (oriented.short_zeros(1)?, oriented.long_zeros(1)?);
    let (forward, backward) = (oriented.long_zeros(1)?, oriented.short_zeros(1)?);
    let norms = Buffer::zeros(gpu, "norms", 2 * batch)?;
    let sums = |length| Buffer::<f32>::zeros(gpu, "residuals", batch * ops::Segments::for_group(gpu, length).count);
    let (long_squares, short_squares) = (sums(oriented.long)?, sums(oriented.short)?);

    let mut recorder = gpu.recorder();
    let mask = last.active.clone();
    recorder.masked(&mask, |recorder| {
        last.normalise(recorder, (vectors.buffer(), oriented.short, false), (&norms, 0), (0, 0.0), short.buffer())?;
        oriented.forward(recorder, &mask, &short, &forward)?;
        last.normalise(recorder, (forward.buffer(), oriented.long, true), (&norms, batch), (0, 0.0), long.buffer())?;
        oriented.backward(recorder, &mask, &long, &backward)?;
        let sigmas = gpu.scratch("sigma", batch)?;
        recorder.copy(&norms.slice(batch..2 * batch), &sigmas)?;
        let (forward, backward) = (forward.buffer(), backward.buffer());
        let factors = &last.factors;
        let long_side = (batch, oriented.long);
        ops::residual_squares(recorder, long_side, forward, long.buffer(), factors, &sigmas, &long_squares)?;
        let short_side = (batch, oriented.short);
        ops::residual_squares(recorder, short_side, backward, short.buffer(), factors, &sigmas, &short_squares)?;
        Ok(())
    })?;
    let (norms, factors) = (recorder.read(&norms)?, recorder.read(&last.factors)?);
    let (long_squares, short_squares) = (recorder.read(&long_squares)?, recorder.read(&short_squares)?);
    let (left, right) = if oriented.transposed { (&short, &long) } else { (&long, &short) };
    let rights = recorder.read(right.buffer())?;
    recorder.submit()?;
    let (norms, factors) = (norms.contents().await?, factors.contents().await?);
    let (long_squares, short_squares) = (long_squares.contents().await?, short_squares.contents().await?);
    let rights = rights.contents().await?;
    let root = |squares: &[f32], item: usize| {
        squares.chunks_exact(batch).map(|segment| f64::from(segment[item])).sum::<f64>().sqrt()
    };

    let mut items = Vec::with_capacity(batch);
    let mut measured: Option<Vec<Option<Quotient>>> = None;
    for (item, (found, settled)) in found.iter().zip(settled).enumerate() {
        let (Some(found), None) = (found, &settled) else {
            let nothing = || SpectralNorm::without_vectors(Status::NonFinite, None);
            items.push(settled.unwrap_or_else(nothing));
            continue;
        };
        if !usable[item] {
            items.push(SpectralNorm {
                iterations: found.iterations,
                products,
                // Products that are zero prove nothing about the operator.
                bounds: if found.status == Status::Zero { Bounds::at_least(0.0) } else { Bounds::NONE },
                ..SpectralNorm::without_vectors(found.status, None)
            });
            continue;
        }
        // The device worked with factor · 2^-exponent times the operator; both are powers of two.
        let exponent = oriented.operator.exponent(item) - binary_exponent(f64::from(factors[item]));
        let device_sigma = f64::from(norms[batch + item]);
        let (long_residual, short_residual) = (root(&long_squares, item), root(&short_squares, item));
        let (left, right) =
            if oriented.transposed { (short_residual, long_residual) } else { (long_residual, short_residual) };
        let vector = wide(&rights, batch, item);
        let proven = rayleigh(oriented.operator, item, &vector).await?;
        if proven.is_none() && found.upper.is_some() && measured.is_none() {
            measured = Some(quotients(oriented.operator, &usable, &rights).await?);
        }
        let quotient = proven.or_else(|| measured.as_ref().and_then(|measured| measured[item]));
        let sigma = quotient.map_or(scale_by_power(device_sigma, exponent), |quotient| quotient.sigma);
        // What the iteration found is in units of the operator's products, whatever it was divided by meanwhile.
        let whole = oriented.operator.exponent(item);
        let second = found.second.map(|second| scale_by_power(second, whole).min(sigma));
        let gap = match second {
            Some(second) => Some(sigma - second),
            None => found.complete.then_some(sigma),
        };
        let (bounds, refuted) = bounds(quotient, found.upper, whole);
        let relative = left.hypot(right) / device_sigma;
        let mut status = found.status;
        if !sigma.is_finite() || !relative.is_finite() {
            status = Status::NonFinite;
        } else if refuted {
            status = Status::Refuted;
        } else if status == Status::Converged && !stop.is_met(relative, gap.map(|gap| gap / sigma), &bounds) {
            status = Status::Stagnated;
        }
        items.push(SpectralNorm {
            sigma,
            bounds,
            residual: Residual { left: scale_by_power(left, exponent), right: scale_by_power(right, exponent) },
            second,
            gap,
            multiplicity: found.multiplicity,
            iterations: found.iterations,
            products: products + 2,
            status,
            non_finite: None,
        });
    }
    Ok(SpectralNorms { gpu: gpu.clone(), items, left: left.clone(), right: right.clone(), copies: None })
}

/// One vector of a batch of them.
fn wide(vectors: &[f32], batch: usize, item: usize) -> Vec<f64> {
    let length = vectors.len() / batch;
    vectors[item * length..][..length].iter().map(|value| f64::from(*value)).collect()
}

/// |Av| / |v| in `f64` on the host.
#[derive(Clone, Copy, Debug)]
struct Quotient {
    sigma: f64,
    lower: f64,
    /// Whether the lower bound is proven; else the host's own rounding in `f64` is estimated.
    proven: bool,
}

impl Quotient {
    /// That of a product in units of 2^exponent.
    fn of(product: &Ball, (length, length_above): (f64, f64), exponent: i32, proven: bool) -> Self {
        let below = (product.norm_below() / length_above).next_down();
        let lower = scale_by_power(below, exponent).next_down().max(0.0);
        Self { sigma: scale_by_power(product.norm() / length, exponent), lower, proven }
    }
}

/// The bounds of an item, from its quotient and an upper bound in units of 2^exponent with its probability of failure; and
/// whether the quotient refutes the upper bound.
fn bounds(quotient: Option<Quotient>, upper: Option<(f64, f64)>, exponent: i32) -> (Bounds, bool) {
    let proven = quotient.filter(|quotient| quotient.proven);
    let lower_alone = proven.map_or(Bounds::NONE, |quotient| Bounds::at_least(quotient.lower));
    let (Some((upper, delta)), Some(Quotient { lower, .. })) = (upper.filter(|(upper, _)| upper.is_finite()), quotient)
    else {
        return (lower_alone, false);
    };
    let guarantee = Guarantee::Probabilistic { delta };
    let upper = Bounds { lower: 0.0, upper, guarantee }.scaled(exponent).upper;
    if upper < lower { (lower_alone, true) } else { (Bounds { lower, upper, guarantee }, false) }
}

/// The quotient that the operator's enclosures prove; `None` where it has none.
async fn rayleigh<O: LinearOperator + ?Sized>(operator: &O, item: usize, vector: &[f64]) -> Result<Option<Quotient>> {
    let input = Ball::exact(vector.to_vec());
    let lengths = (input.norm(), input.norm_above());
    if lengths.0 <= 0.0 {
        return Ok(None);
    }
    let product = operator.enclose(item, input).await?;
    Ok(product.map(|product| Quotient::of(&product, lengths, operator.exponent(item), true)))
}

/// The quotients of all usable items, by products of the host that need not be proven.
async fn quotients<O: LinearOperator + ?Sized>(
    operator: &O,
    usable: &[bool],
    vectors: &[f32],
) -> Result<Vec<Option<Quotient>>> {
    let input = |item: usize| match usable[item] {
        true => vec![Ball::exact(wide(vectors, usable.len(), item))],
        false => Vec::new(),
    };
    let inputs: Vec<Vec<Ball>> = (0..usable.len()).map(input).collect();
    let lengths: Vec<Option<(f64, f64)>> = inputs
        .iter()
        .map(|balls| balls.first().map(|ball| (ball.norm(), ball.norm_above())).filter(|lengths| lengths.0 > 0.0))
        .collect();
    let Some(products) = products_on_host(operator, false, inputs).await? else { return Ok(vec![None; usable.len()]) };
    let quotient = |item: usize| {
        let (ball, lengths) = products[item].first().zip(lengths[item])?;
        Some(Quotient::of(ball, lengths, operator.exponent(item), false))
    };
    Ok((0..usable.len()).map(quotient).collect())
}
