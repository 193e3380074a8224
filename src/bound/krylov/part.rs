//! The part that a random start has along a fixed direction, but for a share of all starts (P3 to P5).

use std::f64::consts::{FRAC_PI_2, PI};

/// d with P(|γ| < d) <= share for one coordinate γ of a point drawn uniformly from the unit sphere in `length`
/// dimensions (P3 to P5): the root of a Beta(1/2, (length - 1)/2) quantile, on the safe side of all rounding.
pub(super) fn least_part(share: f64, length: usize) -> f64 {
    match length {
        0 | 1 => return 1.0,
        2 => return (FRAC_PI_2 * share).sin() * (1.0 - 1e-12),
        3 => return share * (1.0 - 1e-12),
        _ => {}
    }
    // The series below is long past a share of 1/2, and the quantile grows with the share, so that larger shares count
    // as 1/2.
    let share = share.min(0.5);
    let density = density_above(length);
    // P(|γ| < d) <= 2 C d, as the density falls.
    let mut low = share / (2.0 * density) * (1.0 - 1e-12);
    // For shares of at most 1/2 the density falls little until d, so that d is far less than twice the lower bound.
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

/// An upper bound of P(|γ| < part) (P5), at most a few parts in 10^12 above the exact value.
fn probability_above(part: f64, length: usize, density: f64) -> f64 {
    let (square, half) = (part * part, length as f64 / 2.0);
    let (mut term, mut sum, mut index) = (1.0, 1.0, 0.0);
    // Every term is positive. The ratio of neighbours falls towards the square. Once that ratio is below 1, the
    // remainder is less than a geometric series.
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

/// An upper bound of C = Γ(length / 2) / (√π Γ((length - 1) / 2)), the density of a coordinate at 0 (P4).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_few_dimensions_have_closed_forms() {
        for share in [0.5, 0.1, 1e-3, 1e-9, 1e-12] {
            // A point of a circle, by its angle; of a sphere, by Archimedes; in four dimensions by the density 2/π √(1
            // - x²).
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
                // The two quantiles differ by a part of 1 / length.
                assert!(
                    (scaled / quantile - 1.0).abs() <= 1.0 / length as f64 + 1e-8,
                    "{length} {share}: {scaled} {quantile}"
                );
            }
        }
        // For small shares d = share / (2 C), up to a part share².
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
}
