//! Claims: properties of an operator that its maker knows and that no product shows.

mod entries;

use crate::bound::{Arithmetic, Bounds, Guarantee};

/// Properties that an operator states of all its batch items.
///
/// Solvers may rely on a claim, so a false claim makes their results false. [`super::check`] refutes claims by random
/// vectors.
///
/// ```
/// use opnorm::operator::{Claims, Definiteness};
/// let claims = Claims::default().with_definiteness(Definiteness::Definite);
/// assert!(claims.is_symmetric() && !claims.is_contraction());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claims {
    symmetric: bool,
    definiteness: Definiteness,
    norm: Bounds,
    smallest: Bounds,
    from_identity: Bounds,
}

/// The sign of xᵀ A x over all x ≠ 0, for a symmetric A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Definiteness {
    /// No claim.
    #[default]
    Unknown,
    /// xᵀ A x >= 0.
    Semidefinite,
    /// xᵀ A x > 0.
    Definite,
}

impl Default for Claims {
    /// No claim at all.
    fn default() -> Self {
        Self {
            symmetric: false,
            definiteness: Definiteness::Unknown,
            norm: Bounds::NONE,
            smallest: Bounds::NONE,
            from_identity: Bounds::NONE,
        }
    }
}

impl Claims {
    /// These claims, and A = Aᵀ.
    #[must_use]
    pub fn with_symmetry(self) -> Self {
        Self { symmetric: true, ..self }
    }

    /// These claims, the sign of xᵀ A x, and A = Aᵀ where the sign is known.
    #[must_use]
    pub fn with_definiteness(self, definiteness: Definiteness) -> Self {
        Self { symmetric: self.symmetric || definiteness > Definiteness::Unknown, definiteness, ..self }
    }

    /// These claims, and bounds of the norm of A itself, without the power of two of its exponent.
    ///
    /// A contraction has an upper bound below 1.
    #[must_use]
    pub fn with_norm(self, norm: Bounds) -> Self {
        Self { norm, ..self }
    }

    /// These claims, and bounds of the smallest |A x| / |x| over x ≠ 0, for a square A its smallest singular value.
    ///
    /// A lower bound above 0 turns the residual of a linear system into a bound of its error.
    #[must_use]
    pub fn with_smallest(self, smallest: Bounds) -> Self {
        Self { smallest, ..self }
    }

    /// These claims, and bounds of the norm of A - I.
    ///
    /// An upper bound L below 1 makes A = I + G invertible, with |A x| >= (1 - L) |x|.
    #[must_use]
    pub fn with_distance_from_identity(self, distance: Bounds) -> Self {
        Self { from_identity: distance, ..self }
    }

    /// Whether A = Aᵀ is claimed.
    pub fn is_symmetric(&self) -> bool {
        self.symmetric
    }

    /// The claimed sign of xᵀ A x.
    pub fn definiteness(&self) -> Definiteness {
        self.definiteness
    }

    /// The claimed bounds of the norm, with their guarantee; [`Bounds::NONE`] where nothing is claimed.
    pub fn norm(&self) -> Bounds {
        self.norm
    }

    /// The claimed bounds of the smallest |A x| / |x|, or those that follow from the distance from the identity.
    pub fn smallest(&self) -> Bounds {
        let Bounds { upper: distance, guarantee, .. } = self.from_identity;
        let lower = (1.0 - distance).next_down();
        if lower <= self.smallest.lower {
            return self.smallest;
        }
        Bounds { lower, upper: (1.0 + distance).next_up(), guarantee }
    }

    /// The claimed bounds of the norm of A - I; [`Bounds::NONE`] where nothing is claimed.
    pub fn distance_from_identity(&self) -> Bounds {
        self.from_identity
    }

    /// Whether an upper bound of the norm below 1 is claimed.
    pub fn is_contraction(&self) -> bool {
        self.norm.upper < 1.0
    }

    /// The claims of factor · A, with a factor for each batch item.
    pub(super) fn scaled(&self, factors: &[f32]) -> Self {
        let definiteness = if factors.iter().all(|factor| *factor > 0.0) {
            self.definiteness
        } else if factors.iter().all(|factor| *factor >= 0.0) {
            self.definiteness.min(Definiteness::Semidefinite)
        } else {
            Definiteness::Unknown
        };
        let magnitudes = || factors.iter().map(|factor| f64::from(factor.abs()));
        let (lower, upper) = (magnitudes().fold(f64::INFINITY, f64::min), magnitudes().fold(0.0, f64::max));
        let times =
            |bounds: &Bounds| if factors.is_empty() { Bounds::NONE } else { exact(lower, upper).product(bounds) };
        // ‖c A - I‖ <= |c| ‖A - I‖ + |c - 1|
        let from_one = factors.iter().fold(0.0, |largest, factor| f64::max(largest, (f64::from(*factor) - 1.0).abs()));
        Self {
            symmetric: self.symmetric,
            definiteness,
            norm: times(&self.norm),
            smallest: times(&self.smallest),
            from_identity: moved(times(&self.from_identity), exact(0.0, from_one)),
        }
    }

    /// The claims of A + B.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let (weaker, stronger) = (self.definiteness.min(other.definiteness), self.definiteness.max(other.definiteness));
        let definiteness = if weaker == Definiteness::Unknown { weaker } else { stronger };
        let (left, right) = (self.norm, other.norm);
        // ‖A‖ - ‖B‖ <= ‖A + B‖ <= ‖A‖ + ‖B‖
        let lower = (left.lower - right.upper).max(right.lower - left.upper).next_down().max(0.0);
        let upper = (left.upper + right.upper).next_up();
        let norm = Bounds { lower, upper, guarantee: left.guarantee.and(right.guarantee) };
        // |A x| - ‖B‖ |x| <= |(A + B) x| <= |A x| + ‖B‖ |x|, and ‖A + B - I‖ <= ‖A - I‖ + ‖B‖
        let (of_left, of_right) = (moved(self.smallest(), right), moved(other.smallest(), left));
        let smallest = if of_left.lower >= of_right.lower { of_left } else { of_right };
        let (of_left, of_right) = (moved(self.from_identity, right), moved(other.from_identity, left));
        let from_identity = if of_left.upper <= of_right.upper { of_left } else { of_right };
        Self {
            symmetric: self.symmetric && other.symmetric,
            definiteness,
            norm: if_above(norm),
            smallest,
            from_identity,
        }
    }

    /// The claims of A · B: the product of two symmetric operators need not be symmetric.
    pub(super) fn times(&self, other: &Self) -> Self {
        let norm = if_above(Bounds { lower: 0.0, ..self.norm.product(&other.norm) });
        // |A B x| >= s(A) |B x| >= s(A) s(B) |x|; the norm is above both.
        let Bounds { lower, guarantee, .. } = self.smallest().product(&other.smallest());
        let smallest = if_above(Bounds { lower, upper: norm.upper, guarantee: guarantee.and(norm.guarantee) });
        Self::default().with_norm(norm).with_smallest(smallest)
    }

    /// The claims of Aᵀ, with A square or not.
    pub(super) fn transposed(&self, is_square: bool) -> Self {
        Self { smallest: if is_square { self.smallest } else { Bounds::NONE }, ..*self }
    }
}

/// The bounds of a norm that is known.
pub(super) fn exact(lower: f64, upper: f64) -> Bounds {
    Bounds { lower, upper, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } }
}

/// The bounds of a norm that a term of this norm moves.
fn moved(bounds: Bounds, term: Bounds) -> Bounds {
    if_above(Bounds { guarantee: bounds.guarantee.and(term.guarantee), ..bounds.widened(term.upper) })
}

/// The bounds, or no bounds where the upper bound is infinite.
fn if_above(bounds: Bounds) -> Bounds {
    if bounds.upper.is_finite() { bounds } else { Bounds::NONE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_products_and_multiples_follow_the_triangle_inequality() {
        let claims = |lower, upper| Claims::default().with_norm(exact(lower, upper));
        let sum = claims(1.0, 2.0).plus(&claims(4.0, 5.0)).norm();
        assert!(sum.lower <= 2.0 && sum.lower > 1.99 && sum.upper >= 7.0 && sum.upper < 7.01, "{sum}");
        let product = claims(1.0, 2.0).times(&claims(4.0, 5.0)).norm();
        assert!(product.lower == 0.0 && product.upper >= 10.0 && product.upper < 10.01, "{product}");
        let multiple = claims(1.0, 2.0).scaled(&[-0.25, 0.125]).norm();
        assert!(multiple.lower <= 0.125 && multiple.upper >= 0.5 && multiple.upper < 0.501, "{multiple}");
        assert_eq!(claims(1.0, 2.0).plus(&Claims::default()), Claims::default());
        assert_eq!(claims(1.0, 2.0).times(&Claims::default()), Claims::default());
        let at_least = Claims::default().with_norm(Bounds::at_least(3.0));
        assert_eq!(claims(1.0, 2.0).times(&at_least).norm(), Bounds::NONE);
    }

    #[test]
    fn a_small_term_leaves_the_identity_invertible() {
        let identity = Claims::default().with_smallest(exact(1.0, 1.0)).with_norm(exact(1.0, 1.0));
        let identity = identity.with_distance_from_identity(exact(0.0, 0.0));
        let sum = identity.plus(&Claims::default().with_norm(exact(0.0, 0.75)));
        assert!(sum.smallest().lower <= 0.25 && sum.smallest().lower > 0.249, "{}", sum.smallest());
        assert!(sum.distance_from_identity().upper >= 0.75 && sum.distance_from_identity().upper < 0.751);
        let twice = sum.scaled(&[2.0]);
        assert!(twice.smallest().lower <= 0.5 && twice.smallest().lower > 0.499, "{}", twice.smallest());
        assert!(twice.distance_from_identity().upper >= 2.5 && twice.distance_from_identity().upper < 2.501);
        let product = sum.times(&sum).smallest();
        assert!(product.lower <= 0.0625 && product.lower > 0.062, "{product}");
        assert_eq!(identity.plus(&Claims::default()).smallest(), Bounds::NONE);
        assert_eq!(sum.transposed(false).with_distance_from_identity(Bounds::NONE).smallest(), Bounds::NONE);
        let alone = Claims::default().with_distance_from_identity(exact(0.0, 0.5)).smallest();
        assert!(alone.lower <= 0.5 && alone.lower > 0.499, "{alone}");
    }

    #[test]
    fn definiteness_is_lost_by_a_negative_factor() {
        let of = |definiteness| Claims::default().with_definiteness(definiteness);
        let (definite, semidefinite) = (of(Definiteness::Definite), of(Definiteness::Semidefinite));
        assert_eq!(definite.scaled(&[1.0, 0.0]).definiteness(), Definiteness::Semidefinite);
        assert_eq!(definite.scaled(&[1.0, -1.0]).definiteness(), Definiteness::Unknown);
        assert!(definite.scaled(&[1.0, -1.0]).is_symmetric());
        assert_eq!(definite.plus(&semidefinite).definiteness(), Definiteness::Definite);
        assert_eq!(definite.plus(&Claims::default().with_symmetry()), Claims::default().with_symmetry());
    }
}
