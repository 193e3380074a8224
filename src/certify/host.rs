//! The prover for shorter sides of up to a few thousand: all of it in `f64` on the host.

use faer::Mat;

use super::definite::{largest_eigenvalue, start};
use super::product::{RUN, add_gram, roundings, sum_of_squares};
use super::progress::Steps;
use super::tall::Tall;
use crate::operator::enclosure::{dot, down, gamma, norm_above, norm_below, sum_above, up};
use crate::tensor::ElementSource;
use crate::{Error, Result};

/// What was proven of a scaled matrix, and the estimate in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Proof {
    pub(super) sigma: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// Encloses the norm of B: from below by a Rayleigh quotient *(C2)*, from above by the largest eigenvalue of BᵀB *(C5)*.
pub(super) fn prove<S: ElementSource + ?Sized>(tall: &Tall<'_, S>, steps: &mut Steps<'_>) -> Result<Proof> {
    let short = tall.short;
    let (mut gram, mut scratch) = (Mat::zeros(short, short), Mat::zeros(short, short));
    let mut squares = 0.0;
    tall.each_block(RUN, |start, block| {
        add_gram(gram.as_mut(), block.as_ref(), &mut scratch);
        squares += sum_of_squares(block.as_ref());
        steps.reach("Gram matrix", start + block.nrows(), tall.long)
    })?;
    // Every square, and then at most one addition an entry, whatever the order.
    let frobenius_square = sum_above(squares, tall.long * short);
    let frobenius = up(frobenius_square.sqrt());
    steps.reach("factorisation", 0, 1)?;
    let ceiling = largest_eigenvalue(&gram);
    steps.reach("factorisation", 1, 1)?;
    let rounding = up(gamma(roundings(tall.long)) * frobenius_square);
    let square = up(up(ceiling.bound.max(0.0) + rounding) + up(tall.underflow() * (frobenius + 1.0)));
    let upper = up(up(square.sqrt()) + tall.underflow()).min(up(frobenius + tall.underflow()));

    let (sigma, lower) = rayleigh(tall, &ceiling.top_vector(start(short)), frobenius)?;
    Proof::new(sigma, lower, upper)
}

impl Proof {
    /// # Errors
    /// [`Error::Arithmetic`] where the bounds contradict each other: then something does not compute as it must.
    pub(super) fn new(sigma: f64, lower: f64, upper: f64) -> Result<Self> {
        if lower <= upper {
            return Ok(Self { sigma: sigma.max(lower).min(upper), lower, upper });
        }
        let problem = format!("a lower bound of {lower} contradicts an upper bound of {upper}");
        Err(Error::Arithmetic { adapter: "this machine".to_owned(), problem })
    }
}

/// |Bx| / |x|, and what of it is certain. *(C2)*
pub(super) fn rayleigh<S: ElementSource + ?Sized>(
    tall: &Tall<'_, S>,
    vector: &[f64],
    frobenius: f64,
) -> Result<(f64, f64)> {
    let mut product = Vec::with_capacity(tall.long);
    let mut row = vec![0.0; tall.short];
    tall.each_block(RUN, |_, block| {
        for index in 0..block.nrows() {
            row.iter_mut().enumerate().for_each(|(col, entry)| *entry = block[(index, col)]);
            product.push(dot(&row, vector));
        }
        Ok(())
    })?;
    let length = norm_above(vector);
    let rounding = up(up(gamma(tall.short + 1) * frobenius) * length) + tall.underflow() * (1.0 + length);
    let below = down(down(norm_below(&product) - up(rounding)) / length);
    let sigma = norm_above(&product) / length;
    Ok((sigma, down(below - tall.underflow()).max(0.0)))
}
