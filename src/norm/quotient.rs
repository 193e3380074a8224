//! Rayleigh quotients on the host, and the bounds that follow from them.

use crate::Result;
use crate::bound::{Ball, Bounds, Guarantee};
use crate::operator::LinearOperator;
use crate::operator::on_host::products_on_host;
use crate::tensor::screen::scale_by_power;

/// One vector of a batch of vectors, in `f64`.
fn wide(vectors: &[f32], batch: usize, item: usize) -> Vec<f64> {
    let length = vectors.len() / batch;
    vectors[item * length..][..length].iter().map(|value| f64::from(*value)).collect()
}

/// The length of a vector, and an upper bound of it.
type Lengths = (f64, f64);

/// |Av| / |v| in `f64` on the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotient {
    pub(super) sigma: f64,
    lower: f64,
    /// Whether the lower bound is proven; where not, the host's own rounding in `f64` is estimated.
    proven: bool,
}

impl Quotient {
    /// The quotient of a product in units of 2^exponent.
    fn of(product: &Ball, lengths: Lengths, exponent: i32, proven: bool) -> Self {
        Self::of_norms((product.norm(), product.norm_below()), lengths, exponent, proven)
    }

    /// The quotient of a product with a norm and a lower bound of it, in units of 2^exponent.
    pub(super) fn of_norms(
        (norm, norm_below): (f64, f64),
        (length, length_above): Lengths,
        exponent: i32,
        proven: bool,
    ) -> Self {
        let below = (norm_below / length_above).next_down();
        let lower = scale_by_power(below, exponent).next_down().max(0.0);
        Self { sigma: scale_by_power(norm / length, exponent), lower, proven }
    }
}

/// The bounds of a batch item, and whether the quotient refutes the upper bound.
///
/// `upper` is an upper bound in units of 2^exponent, with its failure probability.
pub(super) fn bounds(quotient: Option<Quotient>, upper: Option<(f64, f64)>, exponent: i32) -> (Bounds, bool) {
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

/// The vectors of the usable items, with their lengths; `None` where a vector is zero.
fn inputs(usable: &[bool], vectors: &[f32]) -> Vec<Option<(Ball, Lengths)>> {
    let input = |(item, in_use): (usize, &bool)| {
        let ball = in_use.then(|| Ball::exact(wide(vectors, usable.len(), item)))?;
        let lengths = (ball.norm(), ball.norm_above());
        (lengths.0 > 0.0).then_some((ball, lengths))
    };
    usable.iter().enumerate().map(input).collect()
}

/// The quotients that the operator's enclosures prove; `None` where the operator has no enclosures.
pub(super) async fn rayleigh<O: LinearOperator + ?Sized>(
    operator: &O,
    usable: &[bool],
    vectors: &[f32],
) -> Result<Vec<Option<Quotient>>> {
    let (balls, lengths): (Vec<_>, Vec<_>) = inputs(usable, vectors).into_iter().map(Option::unzip).unzip();
    let products = operator.enclose_each(balls).await?;
    let quotient = |(item, (product, lengths)): (usize, (Option<Ball>, Option<Lengths>))| {
        Some(Quotient::of(&product?, lengths?, operator.exponent(item), true))
    };
    Ok(products.into_iter().zip(lengths).enumerate().map(quotient).collect())
}

/// The quotients of all usable items, by products of the host that need not be proven.
pub(super) async fn quotients<O: LinearOperator + ?Sized>(
    operator: &O,
    usable: &[bool],
    vectors: &[f32],
) -> Result<Vec<Option<Quotient>>> {
    let (balls, lengths): (Vec<_>, Vec<_>) = inputs(usable, vectors).into_iter().map(Option::unzip).unzip();
    let balls = balls.into_iter().map(|ball: Option<Ball>| Vec::from_iter(ball)).collect();
    let Some(products) = products_on_host(operator, false, balls).await? else { return Ok(vec![None; usable.len()]) };
    let quotient = |(item, lengths): (usize, &Option<Lengths>)| {
        let (ball, lengths) = products[item].first().zip(*lengths)?;
        Some(Quotient::of(ball, lengths, operator.exponent(item), false))
    };
    Ok(lengths.iter().enumerate().map(quotient).collect())
}
