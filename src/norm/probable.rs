//! An upper bound that holds for all but a chosen share of start vectors; `docs/bounds.md`, "Probabilistic bounds".
//!
//! Numbers in brackets are equations there.

use std::f64::consts::{FRAC_PI_2, PI};

/// What rounding a start vector to `f32` may take from its part along any fixed direction (P6).
const START_ERROR: f64 = 1.0 / 8_388_608.0;

/// Chains at the most.
pub(super) const MOST_CHAINS: usize = 64;

/// What a step of Lanczos is expected to miss its recurrence by, relative to the square of the norm, where sums of `length`
/// products are added up by so many lanes: how many chains to take is planned by it, and no bound rests on it (P11).
pub(super) fn expected_error(length: usize, lanes: u32) -> f64 {
    /// Terms of a lane's sum at the most: longer ones are cut into segments.
    const LONGEST: f64 = 512.0;
    let chain = (length as f64 / (4.0 * f64::from(lanes.max(1)))).ceil().min(LONGEST);
    4.0 / 16_777_216.0 * (1.0 + chain).sqrt()
}

/// One step of a Krylov space (P7): AᵀA v_j = tau_{j-1} v_{j-1} + T_jj v_j + tau_j v_{j+1} + h_j.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// T_jj
    pub(super) diagonal: f64,
    /// tau_j
    pub(super) coupling: f64,
    /// At least |h_j|.
    pub(super) error: f64,
    /// At least |tau_j v_{j+1} + h_j|.
    pub(super) residual: f64,
}

/// What each of several independent chains may count on, for a bound that fails with a given probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// The chains.
    pub(super) chains: usize,
    /// What a chain's start has along the first singular vector at least, but for a share δ^(1/chains) of all starts.
    pub(super) part: f64,
}

impl Share {
    /// Of so many chains without a bound.
    pub(super) fn without_bound(chains: usize) -> Self {
        Self { chains, part: 0.0 }
    }

    /// The share of each of so many chains for start vectors of this length (P5).
    pub(super) fn of(delta: f64, chains: usize, length: usize) -> Self {
        // One part in 10^12 less than the root makes up for what the root itself is rounded by.
        let each = delta.powf(1.0 / chains as f64) * (1.0 - 1e-12);
        Self { chains, part: least_part(each, length) }
    }

    /// Whether a chain's part is large enough for steps with such an error to leave most of it.
    pub(super) fn outweighs(&self, error: f64) -> bool {
        self.part >= 16.0 * error
    }

    /// The share of the fewest chains that outweigh the error of a step, each with a share of starts of `each` or more, as far
    /// as that many chains may be had; `None` where no number of them outweighs the error.
    pub(super) fn fewest(delta: f64, (length, error): (usize, f64), each: f64) -> Option<Self> {
        /// Past one half chains cost more than they bring.
        const MOST: f64 = 0.5;
        let each = each.min(MOST);
        let wide = |chains: &usize| delta.powf(1.0 / *chains as f64) >= each || *chains == MOST_CHAINS;
        (1..=MOST_CHAINS)
            .filter(wide)
            .map(|chains| Self::of(delta, chains, length))
            .find(|share| share.outweighs(error))
    }
}

/// The share of starts of a chain whose bound comes within the relative distance `width` of the norm, for steps with such an
/// error (P11).
pub(super) fn share_within(width: f64, error: f64) -> f64 {
    8.0 * error / width
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
    // For shares of at most one half the density falls little until d, which is nowhere near twice as much.
    let mut high = (2.0 * low).min(1.0);
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

/// An upper bound of the norm from the steps of a Krylov space whose start has `part` of its length along the first singular
/// vector at least (P10): infinite where the space says nothing, never below `sigma`.
///
/// `sigma` is the largest singular value of the bidiagonal matrix, in the units of the steps.
pub(super) fn upper_bound(steps: &[Step], sigma: f64, part: f64) -> f64 {
    let part = part - START_ERROR;
    if steps.is_empty() || sigma <= 0.0 || part <= 0.0 {
        return f64::INFINITY;
    }
    let relative = |value: f64| value / sigma / sigma;
    let scale = |step: &Step| Step {
        diagonal: relative(step.diagonal),
        coupling: relative(step.coupling),
        error: relative(step.error),
        residual: relative(step.residual),
    };
    let scaled: Vec<Step> = steps.iter().map(scale).collect();
    let (mut low, mut high) = (1.0f64, 2.0);
    while !excludes(&scaled, high * high, part) {
        (low, high) = (high, 2.0 * high);
        if high > 1e60 {
            return f64::INFINITY;
        }
    }
    while high - low > 1e-12 * high {
        let middle = low + (high - low) / 2.0;
        if excludes(&scaled, middle * middle, part) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high * sigma * (1.0 + 1e-12)
}

/// What one step of the recurrence of polynomials may miss by in `f64`, relative to the square of the norm.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// What sums of a thousand terms, and a handful of products, may miss by in `f64`, relative.
const SLACK: f64 = 1e-12;

/// Whether no operator whose norm has this square, or a larger one, can have given these steps from a start with `part`
/// along its first singular vector (P10). True of all larger norms where it is of one.
fn excludes(steps: &[Step], square: f64, part: f64) -> bool {
    // p_{j-1} and p_{j-2}, tau_{j-1}, the sum S of errors, and what they may have taken from the part.
    let (mut current, mut before, mut coupling) = (1.0, 0.0, 0.0);
    let (mut sum, mut loss) = (0.0, 0.0);
    for step in steps {
        let next = (square - step.diagonal) * current - coupling * before;
        // Not above every root of the polynomials: nothing is said of such a norm.
        if next.is_nan() || next <= 0.0 {
            return false;
        }
        let seen = (next - ROUNDING * square * current) * (part - loss);
        if seen * (1.0 - SLACK) > step.residual + sum / current {
            return true;
        }
        sum += (step.error + ROUNDING * square) * current * (1.0 + SLACK);
        loss += sum / (next * current) * (1.0 + SLACK);
        if loss.is_nan() || loss >= part || step.coupling <= 0.0 {
            return false;
        }
        (before, current, coupling) = (current, next / step.coupling, step.coupling);
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
    fn the_fewest_chains_that_outweigh_the_error_of_a_step() {
        let error = expected_error(1000, 64);
        assert_eq!(Share::fewest(0.05, (1000, error), share_within(1e-3, error)).unwrap().chains, 1);
        for (delta, length) in [(1e-6, 64), (1e-6, 4096), (1e-9, 65_536), (1e-12, 1_000_000), (0.5, 3)] {
            for lanes in [8, 64] {
                let error = expected_error(length, lanes);
                let share = Share::fewest(delta, (length, error), 0.0).unwrap();
                assert!(share.outweighs(error));
                assert!(share.chains == 1 || !Share::of(delta, share.chains - 1, length).outweighs(error));
                println!("delta {delta:e}, length {length}, {lanes} lanes: {share:?}");
            }
        }
        // The closer the bound is to be, the more chains; where none can be close enough, those of one half each.
        let chains = |width: f64| Share::fewest(1e-6, (1000, error), share_within(width, error)).unwrap().chains;
        let counts: Vec<usize> = [1e-2, 1e-3, 1e-4, 1e-5, 1e-9].map(chains).to_vec();
        println!("chains for widths from 1e-2 to 1e-9: {counts:?}");
        assert!(counts.is_sorted() && counts[0] < counts[2] && counts[4] == 20, "{counts:?}");
        assert_eq!(Share::fewest(1e-6, (usize::MAX / 4, error), 0.0), None);
    }

    #[test]
    fn one_step_gives_what_one_can_work_out() {
        let step = |diagonal: f64, error: f64, residual: f64| Step { diagonal, coupling: residual, error, residual };
        // One step: (t - T) d = |R|.
        let upper = upper_bound(&[step(4.0, 1e-6, 0.2)], 2.0, 0.01);
        let exact = (4.0f64 + 0.2 / (0.01 - START_ERROR)).sqrt();
        assert!(upper >= exact && upper < exact * (1.0 + 1e-9), "{upper} {exact}");
        assert_eq!(upper_bound(&[], 1.0, 0.01), f64::INFINITY);
        assert_eq!(upper_bound(&[step(1.0, 0.0, 0.1)], 1.0, 1e-9), f64::INFINITY);
        // What the last step leaves over stays in the bound.
        let of = |residual: f64, error: f64| {
            upper_bound(&[step(1.0, error, 0.3), step(0.5, error, residual)], 1.067_947, 0.1)
        };
        assert!(of(1e-7, 1e-6) > 1.067_947 && of(1e-3, 1e-6) > of(1e-7, 1e-6));
        // Exact arithmetic on the same values never gives more, and errors as large as the part no bound closer than that.
        assert!(of(1e-3, 0.0) < of(1e-3, 1e-4) && of(1e-3, 1e-4) < of(1e-3, 1.0));
        assert!(upper_bound(&[step(1.0, f64::INFINITY, f64::INFINITY)], 1.0, 0.1).is_infinite());
        assert!(upper_bound(&[step(f64::NAN, 0.0, 0.1)], 1.0, 0.1).is_infinite());
    }
}
