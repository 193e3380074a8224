//! The rest of the power series of a logarithm of a determinant.

use crate::bound::{Bounds, Guarantee, Up, down};

/// The number of terms that are added one by one, before a geometric series bounds the rest.
const ADDED: usize = 4096;

/// Bounds of |ln det (I + J) - Σ (-1)^(k+1) tr J^k / k|, over k up to `terms`, for a J of `size` rows whose norm is
/// within `lipschitz`.
///
/// |tr J^k| <= size · L^k, because no eigenvalue is above the norm L, so that the rest is at most
/// size · Σ_(k > terms) L^k / k. The identity's multiple J = -L I attains the bound.
pub(super) fn truncation(lipschitz: &Bounds, terms: usize, size: usize) -> Bounds {
    let (upper, guarantee) = (lipschitz.upper, lipschitz.guarantee);
    let rest = down(1.0 - upper);
    let has_upper = !matches!(guarantee, Guarantee::None | Guarantee::Lower);
    if !has_upper || rest.is_nan() || rest <= 0.0 {
        return Bounds::NONE;
    }
    if upper == 0.0 || size == 0 {
        return Bounds { lower: 0.0, upper: 0.0, guarantee };
    }
    let factor = Up::of(upper);
    let (mut power, mut sum) = (to_power(factor, terms), Up::of(0.0));
    for added in 1..=ADDED {
        power = power * factor;
        sum = sum + power.over(down(terms as f64 + added as f64));
    }
    // Every later term is at most the last of these times a power of L.
    let tail = (power * factor).over(down(down(terms as f64 + ADDED as f64) * rest));
    Bounds { lower: 0.0, upper: (Up::of(size as f64) * (sum + tail)).value(), guarantee }
}

/// A bound of the power of a number from 0 to 1, by squares.
fn to_power(number: Up, exponent: usize) -> Up {
    let (mut result, mut square, mut left) = (Up::of(1.0), number, exponent);
    while left > 0 {
        if left % 2 == 1 {
            result = result * square;
        }
        square = square * square;
        left /= 2;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::Arithmetic;

    fn known(upper: f64) -> Bounds {
        Bounds { lower: 0.0, upper, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } }
    }

    #[test]
    fn the_multiple_of_the_identity_attains_the_bound() {
        for (norm, terms) in [(0.3f64, 1u32), (0.5, 7), (0.9, 10), (0.9, 50), (0.98, 100), (0.999, 10)] {
            // -ln(1 - L) loses no digits that count here: the rest is above 1e-6 of the whole.
            let partial: f64 = (1..=terms).rev().map(|k| norm.powf(f64::from(k)) / f64::from(k)).sum();
            let exact = 3.0 * (-(-norm).ln_1p() - partial);
            let bound = truncation(&known(norm), terms as usize, 3).upper;
            let slack = if norm > 0.99 { 1e-3 } else { 1e-9 };
            assert!(
                bound >= exact * (1.0 - 1e-10) && bound <= exact * (1.0 + slack),
                "{norm}, {terms}: {bound}, {exact}"
            );
        }
        // The values of a table made with 50 digits: 64 dimensions.
        assert!((truncation(&known(0.9), 10, 64).upper - 11.8).abs() < 0.1);
        assert!((truncation(&known(0.9), 50, 64).upper - 0.05).abs() < 0.01);
    }

    #[test]
    fn nothing_is_claimed_without_a_bound_below_1() {
        for upper in [1.0, 1.5, f64::INFINITY, f64::NAN] {
            assert_eq!(truncation(&known(upper), 10, 4), Bounds::NONE);
        }
        assert_eq!(truncation(&Bounds::NONE, 10, 4), Bounds::NONE);
        assert_eq!(truncation(&Bounds::at_least(0.5), 10, 4), Bounds::NONE);
        assert_eq!(truncation(&known(0.0), 1, 4).upper, 0.0);
        let just_below = truncation(&known(1f64.next_down()), 1, 1).upper;
        assert!(just_below > 36.0 && just_below.is_finite(), "{just_below}");
        let far = truncation(&known(0.9), usize::MAX, 4).upper;
        assert!(far > 0.0 && far < 1e-300, "{far}");
    }
}
