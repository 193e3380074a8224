//! Local errors of the steps of Krylov subspaces, measured by products of the host.

use super::chain::Chain;
use crate::Result;
use crate::bound::Ball;
use crate::operator::{LinearOperator, Oriented};
use crate::tensor::screen::scale_by_power;

/// Measures the new steps of each chain's first space; `false` where the operator has no products on the host.
///
/// An item has `columns` chains. Each chain divides products by 2^e, with its e in `exponents`.
pub(super) async fn measure<O: LinearOperator + ?Sized>(
    oriented: &Oriented<'_, O>,
    chains: &mut [Chain],
    columns: usize,
    exponents: &[i32],
) -> Result<bool> {
    let sampled = oriented.operator.is_slow_on_host();
    let items = chains.len().checked_div(columns).unwrap_or(0);
    // Where products are slow, the first chain stands for all chains of an item.
    let is_measured = |chain: usize, step: usize, space: &Chain| {
        !sampled || space.first.space.is_sample(step, chain.is_multiple_of(columns))
    };
    let mut inputs = vec![Vec::new(); items];
    for (index, chain) in chains.iter().enumerate() {
        let wanted = chain.first.space.unmeasured().filter(|step| is_measured(index, *step, chain));
        inputs[index / columns].extend(wanted.map(|step| Ball::exact(chain.first.space.vector(step))));
    }
    let mut products = if inputs.iter().all(Vec::is_empty) {
        inputs.into_iter().map(Vec::into_iter).collect::<Vec<_>>()
    } else {
        let Some(long) = oriented.on_host(true, inputs).await? else { return Ok(false) };
        let Some(short) = oriented.on_host(false, long).await? else { return Ok(false) };
        short.into_iter().map(Vec::into_iter).collect()
    };
    let unit = |index: usize| -2 * exponents.get(index).copied().unwrap_or(0);
    // The largest error of each item, of this reading and of the readings before.
    let mut largest = vec![0.0f64; items];
    for (index, chain) in chains.iter().enumerate() {
        largest[index / columns] =
            largest[index / columns].max(scale_by_power(chain.first.space.largest_error(), -unit(index)));
    }
    for (index, chain) in chains.iter_mut().enumerate() {
        let (item, exponent) = (index / columns, unit(index));
        for step in chain.first.space.unmeasured() {
            let product = if is_measured(index, step, chain) { products[item].next() } else { None };
            match product {
                Some(product) => chain.first.space.measure(&scaled(product, exponent)),
                None => chain.first.space.assume(scale_by_power(largest[item], exponent)),
            }
            largest[item] = largest[item].max(scale_by_power(chain.first.space.largest_error(), -exponent));
        }
    }
    Ok(true)
}

/// A ball in other units. The rounding of the next operation covers a radius that underflows.
fn scaled(ball: Ball, exponent: i32) -> Ball {
    let scale = |value: f64| scale_by_power(value, exponent);
    Ball { radius: scale(ball.radius).next_up(), center: ball.center.into_iter().map(scale).collect() }
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;
#[cfg(test)]
#[path = "worst_tests.rs"]
mod worst_arithmetic;
