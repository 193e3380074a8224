//! From vectors to results: the last products, the residuals, and the lower bound that the host proves.

use super::quotient::{Quotient, bounds, quotients, rayleigh};
use super::result::{Residual, SpectralNorm, SpectralNorms};
use super::stop::{Stop, final_error};
use crate::Result;
use crate::bound::Bounds;
use crate::device::Buffer;
use crate::iterate::{Memory, Status};
use crate::operator::{LinearOperator, Oriented, Settled};
use crate::ops::{self, Rows};
use crate::tensor::Tensor;
use crate::tensor::screen::{binary_exponent, scale_by_power};

/// An iteration's result for one batch item, in units of the operator's products.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Converged or out of iterations, as the iteration judges; zero or non-finite where a product was zero or
    /// non-finite.
    pub(super) status: Status,
    pub(super) second: Option<f64>,
    pub(super) iterations: usize,
    /// Whether the iteration saw every singular value of the operator: a missing second value then does not exist.
    pub(super) complete: bool,
    /// The multiplicity of the largest singular value, where it was counted.
    pub(super) multiplicity: Option<usize>,
    /// An upper bound, where one was asked for, with its failure probability.
    pub(super) upper: Option<(f64, f64)>,
}

impl Found {
    /// A result with this status and no other information.
    pub(super) fn of(status: Status) -> Self {
        Self { status, second: None, iterations: 0, complete: false, multiplicity: None, upper: None }
    }

    /// Whether the result has vectors.
    fn is_usable(&self) -> bool {
        !matches!(self.status, Status::Zero | Status::NonFinite)
    }
}

/// The condition on which a finished triplet is accepted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Accept {
    Stop(Stop),
    /// The expected error relative to sigma is at most rtol + atol / sigma^power, where sigma is in units of the scaled
    /// operator.
    Residual {
        rtol: f64,
        atol: f64,
        power: i32,
    },
}

impl Accept {
    /// Whether a triplet is accepted. `residual` and `gap` are relative to sigma; sigma is in units of the scaled
    /// operator.
    fn is_met(self, residual: f64, gap: Option<f64>, scaled_sigma: f64, bounds: &Bounds) -> bool {
        match self {
            Self::Stop(stop) => stop.is_met(residual, gap, bounds),
            Self::Residual { rtol, atol, power } => {
                final_error(residual, gap) <= rtol + atol / scaled_sigma.powi(power)
            }
        }
    }
}

/// The end of an iteration.
pub(super) struct Ending<'a> {
    /// The vectors found on the short side.
    pub(super) vectors: &'a Tensor,
    /// The power of two that each batch item's products were divided by.
    pub(super) factors: &'a Buffer<f32>,
    pub(super) found: &'a [Option<Found>],
    /// The number of products of the run.
    pub(super) products: usize,
    pub(super) accept: Accept,
}

/// Products, residuals and bounds for vectors that an iteration found on the short side of an operator.
pub(super) async fn finish<O: LinearOperator + ?Sized>(
    oriented: &Oriented<'_, O>,
    ending: Ending<'_>,
) -> Result<SpectralNorms> {
    let usable: Vec<bool> = ending.found.iter().map(|found| found.as_ref().is_some_and(Found::is_usable)).collect();
    let measured = Measured::of(oriented, &ending, &usable).await?;
    let proven = rayleigh(oriented.operator, &usable, &measured.rights).await?;
    let mut on_host: Option<Vec<Option<Quotient>>> = None;
    let mut items = Vec::with_capacity(usable.len());
    for (item, (found, settled)) in ending.found.iter().zip(oriented.settled()).enumerate() {
        items.push(match (found, settled) {
            (_, Some(Settled { status, non_finite })) => SpectralNorm::without_vectors(status, non_finite),
            (None, None) => SpectralNorm::without_vectors(Status::NonFinite, None),
            (Some(found), None) if !usable[item] => without_vectors(found, ending.products),
            (Some(found), None) => {
                if proven[item].is_none() && found.upper.is_some() && on_host.is_none() {
                    on_host = Some(quotients(oriented.operator, &usable, &measured.rights).await?);
                }
                let quotient = proven[item].or_else(|| on_host.as_ref().and_then(|quotients| quotients[item]));
                measured.norm(oriented, item, found, quotient, &ending)
            }
        });
    }
    let Measured { left, right, .. } = measured;
    Ok(SpectralNorms { device: oriented.operator.device().clone(), items, left, right, copies: None })
}

/// The result of a batch item whose iteration found no vectors.
fn without_vectors(found: &Found, products: usize) -> SpectralNorm {
    SpectralNorm {
        iterations: found.iterations,
        products,
        // Products that are zero prove nothing about the operator.
        bounds: if found.status == Status::Zero { Bounds::at_least(0.0) } else { Bounds::NONE },
        ..SpectralNorm::without_vectors(found.status, None)
    }
}

/// The last products, as the device measured them.
struct Measured {
    left: Tensor,
    right: Tensor,
    rights: Vec<f32>,
    factors: Vec<f32>,
    sigmas: Vec<f32>,
    /// The residuals on either side of the operator.
    residuals: Vec<Residual>,
}

impl Measured {
    async fn of<O: LinearOperator + ?Sized>(
        oriented: &Oriented<'_, O>,
        ending: &Ending<'_>,
        usable: &[bool],
    ) -> Result<Self> {
        let (device, batch) = (oriented.operator.device(), usable.len());
        let last = Memory { factors: ending.factors.clone(), ..Memory::new(device, usable)? };
        let (short, long) = (oriented.short_zeros(1)?, oriented.long_zeros(1)?);
        let (forward, backward) = (oriented.long_zeros(1)?, oriented.short_zeros(1)?);
        let norms = Buffer::zeros(device, "norms", 2 * batch)?;
        let sums =
            |length| Buffer::<f32>::zeros(device, "residuals", batch * ops::Segments::for_group(device, length).count);
        let (long_squares, short_squares) = (sums(oriented.long)?, sums(oriented.short)?);

        let mut recorder = device.recorder();
        let mask = last.active.clone();
        recorder.masked(&mask, |recorder| {
            let (from, step) = ((ending.vectors.buffer(), oriented.short, false), (0, 0.0));
            last.normalise(recorder, from, (&norms, 0), step, short.buffer())?;
            oriented.forward(recorder, &mask, &short, &forward)?;
            let product = (forward.buffer(), oriented.long, true);
            last.normalise(recorder, product, (&norms, batch), step, long.buffer())?;
            oriented.backward(recorder, &mask, &long, &backward)?;
            let sigmas = device.scratch("sigma", batch)?;
            recorder.copy(&norms.slice(batch..2 * batch), &sigmas)?;
            let (forward, backward, factors) = (forward.buffer(), backward.buffer(), &last.factors);
            let long_side = Rows { vectors: batch, length: oriented.long };
            ops::residual_squares(recorder, long_side, forward, long.buffer(), factors, &sigmas, &long_squares)?;
            let short_side = Rows { vectors: batch, length: oriented.short };
            ops::residual_squares(recorder, short_side, backward, short.buffer(), factors, &sigmas, &short_squares)?;
            Ok(())
        })?;
        let (norms, factors) = (recorder.read(&norms)?, recorder.read(&last.factors)?);
        let (long_squares, short_squares) = (recorder.read(&long_squares)?, recorder.read(&short_squares)?);
        let (left, right) = if oriented.transposed { (short, long) } else { (long, short) };
        let rights = recorder.read(right.buffer())?;
        recorder.submit_async().await?;

        let (norms, factors) = (norms.contents().await?, factors.contents().await?);
        let (long_squares, short_squares) = (long_squares.contents().await?, short_squares.contents().await?);
        let (of_left, of_right) =
            if oriented.transposed { (short_squares, long_squares) } else { (long_squares, short_squares) };
        let root = |squares: &[f32], item: usize| {
            squares.chunks_exact(batch).map(|segment| f64::from(segment[item])).sum::<f64>().sqrt()
        };
        let residual = |item| Residual { left: root(&of_left, item), right: root(&of_right, item) };
        Ok(Self {
            rights: rights.contents().await?,
            factors,
            sigmas: norms[batch.min(norms.len())..].to_vec(),
            residuals: (0..batch).map(residual).collect(),
            left,
            right,
        })
    }

    /// The result of a batch item with vectors.
    fn norm<O: LinearOperator + ?Sized>(
        &self,
        oriented: &Oriented<'_, O>,
        item: usize,
        found: &Found,
        quotient: Option<Quotient>,
        ending: &Ending<'_>,
    ) -> SpectralNorm {
        // The device divides the operator's products, in whose units values were found, by powers of two of its own.
        let whole = oriented.operator.exponent(item);
        // The device worked with factor · 2^-exponent times the operator; both are powers of two.
        let exponent = whole - binary_exponent(f64::from(self.factors[item]));
        let (sigma, residual) = (f64::from(self.sigmas[item]), self.residuals[item]);
        let products = ending.products + 2;
        Finished { found, quotient, sigma, residual, exponent, whole, products }.norm(ending.accept)
    }
}

/// A triplet with its residuals, as the end of an iteration.
pub(super) struct Finished<'a> {
    pub(super) found: &'a Found,
    pub(super) quotient: Option<Quotient>,
    /// The singular value, in units of 2^exponent as `residual`.
    pub(super) sigma: f64,
    pub(super) residual: Residual,
    pub(super) exponent: i32,
    /// The exponent of the operator, in units of whose products `found` has its values.
    pub(super) whole: i32,
    pub(super) products: usize,
}

impl Finished<'_> {
    pub(super) fn norm(self, accept: Accept) -> SpectralNorm {
        let Self { found, quotient, sigma: scaled, residual, exponent, whole, products } = self;
        let sigma = quotient.map_or(scale_by_power(scaled, exponent), |quotient| quotient.sigma);
        let second = found.second.map(|second| scale_by_power(second, whole).min(sigma));
        let gap = match second {
            Some(second) => Some(sigma - second),
            None => found.complete.then_some(sigma),
        };
        let (bounds, refuted) = bounds(quotient, found.upper, whole);
        let relative = residual.norm() / scaled;
        let mut status = found.status;
        if !sigma.is_finite() || !relative.is_finite() {
            status = Status::NonFinite;
        } else if refuted {
            status = Status::Refuted;
        } else if status == Status::Converged && !accept.is_met(relative, gap.map(|gap| gap / sigma), scaled, &bounds) {
            status = Status::Stagnated;
        }
        let in_units = |residual: f64| scale_by_power(residual, exponent);
        SpectralNorm {
            sigma,
            bounds,
            residual: Residual { left: in_units(residual.left), right: in_units(residual.right) },
            second,
            gap,
            multiplicity: found.multiplicity,
            iterations: found.iterations,
            products,
            status,
            non_finite: None,
        }
    }
}
