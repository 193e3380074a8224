//! The prover for shorter sides of up to a few thousand, in `f64` on the host alone.

use faer::Mat;

use super::definite::largest_eigenvalue;
use super::product::{Magnitudes, RUN, add_gram, roundings};
use super::progress::Steps;
use super::tall::Tall;
use crate::bound::Up;
use crate::bound::{dot, down, norm_above, norm_below};
use crate::tensor::ElementSource;
use crate::{Error, Result};

/// The bounds proven for a scaled matrix, with the estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Proof {
    pub(super) sigma: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// Encloses the norm of B.
///
/// The lower bound is a Rayleigh quotient *(C2)*; the upper bound is the root of a bound of the largest eigenvalue of
/// BᵀB *(C5)*.
pub(super) fn prove<S: ElementSource + ?Sized>(tall: &Tall<'_, S>, steps: &mut Steps<'_>) -> Result<Proof> {
    let short = tall.short;
    let (mut gram, mut scratch) = (Mat::zeros(short, short), Mat::zeros(short, short));
    let mut magnitudes = Magnitudes::new(short);
    tall.each_block(RUN, |start, block| {
        add_gram(gram.as_mut(), block.as_ref(), &mut scratch);
        magnitudes.see(0, block.as_ref());
        steps.reach("Gram matrix", start + block.nrows(), tall.long)
    })?;
    let frobenius = magnitudes.frobenius_square().sqrt();
    steps.reach("factorisation", 0, 1)?;
    let ceiling = largest_eigenvalue(&gram);
    steps.reach("factorisation", 1, 1)?;
    let rounding = Up::gamma(roundings(tall.long)) * magnitudes.gram();
    let square = Up::of(ceiling.bound.max(0.0)) + rounding + tall.underflow() * (frobenius + Up::of(1.0));
    let upper = square.sqrt().min(frobenius) + tall.underflow();

    let (sigma, lower) = rayleigh(tall, &ceiling.vector, frobenius)?;
    Proof::new(sigma, lower, upper)
}

impl Proof {
    /// # Errors
    /// [`Error::Arithmetic`] where the bounds contradict each other, because the host's arithmetic is then wrong.
    pub(super) fn new(sigma: f64, lower: f64, upper: Up) -> Result<Self> {
        let upper = upper.value();
        if lower <= upper {
            return Ok(Self { sigma: sigma.max(lower).min(upper), lower, upper });
        }
        let problem = format!("a lower bound of {lower} contradicts an upper bound of {upper}");
        Err(Error::Arithmetic { adapter: "this machine".to_owned(), problem })
    }
}

/// The quotient |Bx| / |x|, with its lower bound. *(C2)*
pub(super) fn rayleigh<S: ElementSource + ?Sized>(
    tall: &Tall<'_, S>,
    vector: &[f64],
    frobenius: Up,
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
    let length = Up::norm(vector);
    let rounding = Up::gamma(tall.short + 1) * frobenius * length + tall.underflow() * (Up::of(1.0) + length);
    let below = down(down(norm_below(&product) - rounding.value()) / length.value());
    let sigma = norm_above(&product) / length.value();
    Ok((sigma, down(below - tall.underflow().value()).max(0.0)))
}
