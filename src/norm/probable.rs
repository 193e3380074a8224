//! An upper bound that holds for all but a chosen share of start vectors; `docs/bounds.md`, "Probabilistic bounds".
//!
//! Numbers in brackets are equations there.

use std::f64::consts::{FRAC_PI_2, PI};

/// What one step of Lanczos may miss its recurrence by, relative to the norm of the operator (P9).
pub(super) const LOCAL_ERROR: f64 = 1.0 / 2_097_152.0;

/// What the norms of basis vectors may miss 1 by (P9).
const UNIT_ERROR: f64 = 1.0 / 262_144.0;

/// What rounding a start vector to `f32` may take from its part along any fixed direction (P10).
const START_ERROR: f64 = 1.0 / 8_388_608.0;

/// The least part along the first singular vector that a chain may count on: 64 times [`LOCAL_ERROR`], so that rounding
/// takes little of it (P11).
pub(super) const LEAST_PART: f64 = 64.0 * LOCAL_ERROR;

/// Chains at the most.
pub(super) const MOST_CHAINS: usize = 64;

/// What each of several independent chains may count on, for a bound that fails with probability `delta`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// The chains.
    pub(super) chains: usize,
    /// What a chain's start has along the first singular vector at least, but for a share δ^(1/chains) of all starts.
    pub(super) part: f64,
}

impl Share {
    /// The share of each of so many chains for start vectors of this length (P8).
    pub(super) fn of(delta: f64, chains: usize, length: usize) -> Self {
        // One part in 10^12 less than the root makes up for what the root itself is rounded by.
        let each = delta.powf(1.0 / chains as f64) * (1.0 - 1e-12);
        Self { chains, part: least_part(each, length) }
    }

    /// Whether a chain's part is large enough for `f32` to carry it.
    pub(super) fn is_honest(&self) -> bool {
        self.part >= LEAST_PART
    }

    /// The share of the fewest chains that can be honest; `None` where no number of them is.
    pub(super) fn fewest(delta: f64, length: usize) -> Option<Self> {
        (1..=MOST_CHAINS).map(|chains| Self::of(delta, chains, length)).find(Self::is_honest)
    }
}

/// d with P(|γ| < d) <= share for one coordinate γ of a point drawn uniformly from the unit sphere in `length` dimensions
/// (P3 to P5): the root of a Beta(1/2, (length - 1)/2) quantile, on the safe side of all rounding.
fn least_part(share: f64, length: usize) -> f64 {
    match length {
        0 | 1 => return 1.0,
        2 => return (FRAC_PI_2 * share).sin() * (1.0 - 1e-12),
        3 => return share * (1.0 - 1e-12),
        _ => {}
    }
    // Past one half the series below is long, and nobody needs it: the quantile grows with the share.
    let share = share.min(0.5);
    let density = density_above(length);
    // P(|γ| < d) <= 2 C d, as the density falls.
    let mut low = share / (2.0 * density) * (1.0 - 1e-12);
    let mut high = 1.0;
    while high - low > 1e-13 * high {
        let middle = low + (high - low) / 2.0;
        if probability_above(middle, length, density) <= share {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Not less than P(|γ| < part) (P5), and no more than a few parts in 10^12 above what exact arithmetic makes of it.
fn probability_above(part: f64, length: usize, density: f64) -> f64 {
    let (square, half) = (part * part, length as f64 / 2.0);
    let (mut term, mut sum, mut index) = (1.0, 1.0, 0.0);
    // Every term is positive. Once the ratio of neighbours, which falls towards the square, is below 1, what is left is
    // less than a geometric series.
    loop {
        let ratio = (half + index) / (1.5 + index) * square;
        term *= ratio;
        sum += term;
        index += 1.0;
        let next = ((half + index) / (1.5 + index)).max(1.0) * square;
        if next < 1.0 && term * next <= 1e-14 * sum * (1.0 - next) {
            break;
        }
        if index > 1e6 {
            return 1.0;
        }
    }
    let power = ((length - 1) as f64 / 2.0 * (-square).ln_1p()).exp();
    2.0 * density * part * power * sum * (1.0 + 1e-12)
}

/// Not less than C = Γ(length / 2) / (√π Γ((length - 1) / 2)), the density of a coordinate at 0 (P4).
fn density_above(length: usize) -> f64 {
    const EXACT: usize = 128;
    if length <= EXACT {
        let (mut size, mut ratio) = if length.is_multiple_of(2) { (2, 1.0 / PI.sqrt()) } else { (3, PI.sqrt() / 2.0) };
        while size < length {
            ratio *= size as f64 / (size - 1) as f64;
            size += 2;
        }
        return ratio / PI.sqrt() * (1.0 + 1e-13);
    }
    let half = (length - 1) as f64 / 2.0;
    ((half - 0.25 + 1.0 / (32.0 * half - 8.0)) / PI).sqrt() * (1.0 + 1e-13)
}

/// An upper bound of the norm from the alphas and betas of a Krylov space whose start has at least `part` of its length
/// along the first singular vector (P12): infinite where the space says nothing, never below `sigma`.
///
/// `chain` is alpha_1, beta_1, alpha_2, ..., and `sigma` the largest singular value of the bidiagonal matrix; the values are
/// exact by the recurrence up to [`LOCAL_ERROR`].
pub(super) fn upper_bound(chain: &[f64], sigma: f64, part: f64) -> f64 {
    let part = part - START_ERROR;
    if chain.is_empty() || sigma <= 0.0 || part <= 0.0 {
        return f64::INFINITY;
    }
    let scaled: Vec<f64> = chain.iter().map(|value| value / sigma).collect();
    // Beyond 1 / part times the row sums nothing is left to be excluded; the margin is for rounding.
    let mut high = 2.0;
    while !excludes(&scaled, high, part) {
        high *= 2.0;
        if high > 1e60 {
            return f64::INFINITY;
        }
    }
    let mut low = 1.0f64;
    for _ in 0..100 {
        // The excess over sigma is what counts, so it is the excess that is halved, in the geometric mean where it can be.
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high || high - low <= 1e-12 * high {
            break;
        }
        if excludes(&scaled, middle, part) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high * sigma * (1.0 + 1e-12)
}

/// Whether no operator of norm `norm` or more can have given this chain from a start with `part` along its first singular
/// vector (P12); monotone in `norm` above the largest root of the polynomials.
fn excludes(chain: &[f64], norm: f64, part: f64) -> bool {
    let (mut before, mut value, mut coupling) = (0.0, 1.0, 0.0);
    let (mut sum, mut loss) = (0.0, 0.0);
    for next_coupling in chain {
        let next = (norm * value - coupling * before) / next_coupling;
        // Not above every root, or the chain ended with nothing: (P12) says nothing of such a norm.
        if next.is_nan() || next <= 0.0 {
            return false;
        }
        sum += value;
        loss += LOCAL_ERROR * norm * sum / (next_coupling * value * next);
        if loss >= part {
            return false;
        }
        if next * (part - loss) > 1.0 + UNIT_ERROR {
            return true;
        }
        (before, value, coupling) = (value, next, *next_coupling);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_few_dimensions_have_closed_forms() {
        for share in [0.5, 0.1, 1e-3, 1e-9, 1e-12] {
            // A point of a circle, by its angle; of a sphere, by Archimedes; in four dimensions by the density 2/π √(1 - x²).
            let close = |length: usize, exact: f64| {
                let found = least_part(share, length);
                assert!(
                    found <= exact * (1.0 + 1e-15) && found >= exact * (1.0 - 1e-11),
                    "{length} {share}: {found} {exact}"
                );
            };
            close(1, 1.0);
            close(2, (FRAC_PI_2 * share).sin());
            close(3, share);
            let part = least_part(share, 4);
            let back = 2.0 / PI * (part.asin() + part * (1.0 - part * part).sqrt());
            assert!(back <= share && back >= share * (1.0 - 1e-10), "{back} {share}");
            // In five: the density is 3/4 (1 - x²).
            let part = least_part(share, 5);
            let back = 1.5 * (part - part.powi(3) / 3.0);
            assert!(back <= share * (1.0 + 1e-15) && back >= share * (1.0 - 1e-10), "{back} {share}");
        }
    }

    #[test]
    fn the_density_is_the_same_by_recurrence_and_by_its_bound() {
        let mut ratio = [1.0 / PI.sqrt(), PI.sqrt() / 2.0];
        for length in 2..20_000usize {
            let exact = ratio[length % 2] / PI.sqrt();
            let found = density_above(length);
            assert!(found >= exact && found <= exact * (1.0 + 2e-8), "{length}: {found} {exact}");
            ratio[length % 2] *= length as f64 / (length - 1) as f64;
        }
    }

    #[test]
    fn parts_of_long_vectors_are_those_of_the_normal_distribution() {
        // Quantiles of |x| for a standard normal x, to 12 digits.
        let normal = [
            (0.5, 0.674_489_750_196),
            (0.1, 0.125_661_346_855),
            (1e-3, 0.001_253_314_465_43),
            (1e-6, 1.253_314_137_3e-6),
        ];
        for length in [10_000usize, 1_000_000, 100_000_000] {
            for (share, quantile) in normal {
                let scaled = least_part(share, length) * (length as f64).sqrt();
                // The two differ by a part of 1 / length.
                assert!(
                    (scaled / quantile - 1.0).abs() <= 1.0 / length as f64 + 1e-8,
                    "{length} {share}: {scaled} {quantile}"
                );
            }
        }
        // For small shares d = share / (2 C) but for a part share² of it.
        for share in [1e-3, 1e-6, 1e-12] {
            let linear = share / (2.0 * density_above(100_000_000));
            let found = least_part(share, 100_000_000);
            assert!(found >= linear * (1.0 - 2e-12) && found <= linear * (1.0 + share * share), "{share}");
        }
    }

    #[test]
    fn parts_grow_with_the_share_and_fall_with_the_length() {
        let shares: Vec<f64> = (1..=24).map(|power| 0.5f64.powi(power)).collect();
        for length in [2, 3, 4, 5, 6, 7, 10, 31, 127, 128, 129, 130, 131, 1000, 65_536, 100_000_000] {
            for pair in shares.windows(2) {
                assert!(least_part(pair[0], length) > least_part(pair[1], length));
                assert!(least_part(pair[0], length) >= least_part(pair[0], length + 1));
            }
            // An odd length has a polynomial density, and Simpson's rule on a fine grid is a check on its own.
            let part = least_part(0.3, length);
            if length >= 3 {
                let density = |x: f64| (1.0 - x * x).powf((length as f64 - 3.0) / 2.0);
                let steps = 2000;
                let width = part / steps as f64;
                let weight =
                    |index: usize| if index == 0 || index == steps { 1.0 } else { 2.0 + 2.0 * (index % 2) as f64 };
                let sum: f64 = (0..=steps).map(|index| weight(index) * density(index as f64 * width)).sum();
                let probability = 2.0 * density_above(length) * sum * width / 3.0;
                assert!((probability / 0.3 - 1.0).abs() < 3e-8, "{length}: {probability}");
            }
        }
    }

    #[test]
    fn the_fewest_chains_that_are_honest() {
        assert_eq!(Share::fewest(0.05, 1000).unwrap().chains, 1);
        for (delta, length) in [(1e-6, 64), (1e-6, 4096), (1e-9, 65_536), (1e-12, 100_000_000), (0.5, 3)] {
            let share = Share::fewest(delta, length).unwrap();
            assert!(share.is_honest());
            assert!(share.chains == 1 || !Share::of(delta, share.chains - 1, length).is_honest());
            println!("delta {delta:e}, length {length}: {share:?}");
        }
        assert_eq!(Share::fewest(1e-6, usize::MAX / 4), None);
    }

    #[test]
    fn one_step_gives_what_one_can_work_out() {
        // alpha alone: P_2 = s / alpha, so s = alpha (1 + UNIT_ERROR) / (d - loss).
        let part = 0.01;
        let upper = upper_bound(&[2.0], 2.0, part);
        assert!(upper > 2.0 / part && upper < 2.0 / part * 1.01, "{upper}");
        assert_eq!(upper_bound(&[], 1.0, part), f64::INFINITY);
        assert_eq!(upper_bound(&[1.0], 1.0, 1e-9), f64::INFINITY);
        // What rounding may have hidden in a space that looks invariant stays in the bound.
        let tight = upper_bound(&[1.0, 1e-7], 1.0, 0.1);
        let loose = upper_bound(&[1.0, 1e-3], 1.0, 0.1);
        assert!(tight > 1.0 && tight < 1.0 + 1e-4 && loose > tight, "{tight} {loose}");
    }
}
