//! Bounds of the error of a solution, from its residual.

use crate::Result;
use crate::bound::{Ball, Bounds, down, up};
use crate::operator::LinearOperator;
use crate::solve::outer::on_host::products;
use crate::tensor::screen::power;

/// Bounds of |x - x*| for each x, all rounding included.
///
/// *Formula*  |r| / ‖A‖ <= |x - x*| <= |r| / s, with s |y| <= |A y| for all y
///
/// The residual r = b - A x is taken in `f64` on the host, with a bound of its rounding. There are no bounds where the
/// operator claims no s above 0, or has no products on the host.
pub(in crate::solve) async fn bounds(
    operator: &dyn LinearOperator,
    width: usize,
    right: &[Vec<f64>],
    x: &[Vec<f64>],
) -> Result<Vec<Bounds>> {
    let none = || vec![Bounds::NONE; x.len()];
    let (smallest, norm) = (operator.claims().smallest(), operator.claims().norm());
    if smallest.lower <= 0.0 || x.iter().flatten().any(|value| !value.is_finite()) {
        return Ok(none());
    }
    let Some(products) = products(operator, width, x).await? else { return Ok(none()) };
    let bounds = products.into_iter().zip(right).enumerate().map(|(vector, (product, right))| {
        let minus = -power(operator.exponent(vector / width.max(1)));
        let residual = Ball::exact(right.clone()).plus(&product.scaled(minus));
        let upper = up(residual.norm_above() / smallest.lower);
        let lower = if norm.upper.is_finite() { down(residual.norm_below() / norm.upper).max(0.0) } else { 0.0 };
        if upper.is_finite() { Bounds { lower, upper, guarantee: smallest.guarantee } } else { Bounds::NONE }
    });
    Ok(bounds.collect())
}
