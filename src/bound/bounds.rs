//! Bounds of a norm, with the kind of their guarantee.

use std::fmt;

use super::Guarantee;
use super::decimal::{above, below, nearest, shortest_above, shortest_below};

/// Bounds of a norm, with the kind of their guarantee.
///
/// ```
/// use opnorm::bound::{Arithmetic, Bounds, Guarantee};
/// let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
/// let bounds = Bounds { lower: 0.6740926, upper: 0.6740941, guarantee };
/// assert_eq!(bounds.to_string(), "[0.674092, 0.674095], certified");
/// assert_eq!(Bounds::at_least(0.6740926).to_string(), "at least 0.674092");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The lower bound: the norm is not below `lower`; 0 where nothing is known.
    pub lower: f64,
    /// The upper bound: the norm is not above `upper`; infinite where nothing is known.
    pub upper: f64,
    /// The kind of statement that the two bounds are.
    pub guarantee: Guarantee,
}

impl Bounds {
    /// No bounds: from 0 to infinity.
    pub const NONE: Self = Self { lower: 0.0, upper: f64::INFINITY, guarantee: Guarantee::None };

    /// A proven lower bound.
    pub fn at_least(lower: f64) -> Self {
        Self { lower, upper: f64::INFINITY, guarantee: Guarantee::Lower }
    }

    /// upper / lower - 1; infinite where a bound is trivial.
    pub fn width(&self) -> f64 {
        if self.upper == self.lower {
            return 0.0;
        }
        if self.lower > 0.0 { (self.upper - self.lower) / self.lower } else { f64::INFINITY }
    }

    /// The two bounds as decimals of `digits` significant digits, each rounded to its safe side.
    ///
    /// ```
    /// use opnorm::bound::Bounds;
    /// assert_eq!(Bounds::at_least(0.6740926).decimals(4), ("0.6740".to_string(), "inf".to_string()));
    /// ```
    pub fn decimals(&self, digits: usize) -> (String, String) {
        (below(self.lower, digits), above(self.upper, digits))
    }

    /// The two bounds as the shortest decimals that are bounds as well and are read back as the same numbers.
    ///
    /// Files need these decimals, because the decimal nearest to a bound may lie inside the bounds.
    ///
    /// ```
    /// use opnorm::bound::Bounds;
    /// assert_eq!(Bounds::at_least(0.3).shortest_decimals(), ("0.29999999999999998".to_string(), "inf".to_string()));
    /// ```
    pub fn shortest_decimals(&self) -> (String, String) {
        (shortest_below(self.lower), shortest_above(self.upper))
    }

    /// Bounds of the product of two norms: ‖AB‖ <= ‖A‖ ‖B‖, as for successive layers of a network.
    ///
    /// The guarantee is the weaker of the two; failure probabilities add up.
    ///
    /// ```
    /// use opnorm::bound::{Bounds, Guarantee};
    /// let layer = |lower, upper, delta| Bounds { lower, upper, guarantee: Guarantee::Probabilistic { delta } };
    /// let product = layer(1.0, 1.5, 1e-6).product(&layer(2.0, 4.0, 1e-6));
    /// assert!(product.lower <= 2.0 && product.upper >= 6.0 && product.width() < 2.0 + 1e-12);
    /// assert_eq!(product.guarantee, Guarantee::Probabilistic { delta: 2e-6 });
    /// ```
    pub fn product(&self, other: &Self) -> Self {
        let guarantee = self.guarantee.and(other.guarantee);
        // A norm of 0 makes the product 0, so that 0 · infinity must not become NaN.
        let times = |left: f64, right: f64| if left == 0.0 || right == 0.0 { 0.0 } else { left * right };
        let lower = times(self.lower, other.lower).next_down().max(0.0);
        let upper = match times(self.upper, other.upper) {
            upper if upper == 0.0 && (self.upper == 0.0 || other.upper == 0.0) => 0.0,
            upper => upper.next_up(),
        };
        match guarantee {
            Guarantee::None => Self::NONE,
            Guarantee::Lower => Self { lower, upper: f64::INFINITY, guarantee },
            _ => Self { lower, upper, guarantee },
        }
    }

    /// The bounds of a matrix at most `distance` away, in the 2-norm, from the matrix of `self`.
    pub(crate) fn widened(self, distance: f64) -> Self {
        if distance == 0.0 {
            return self;
        }
        let (lower, upper) = ((self.lower - distance).next_down().max(0.0), (self.upper + distance).next_up());
        Self { lower, upper, ..self }
    }

    /// Writes an estimate and the bounds around it.
    pub(crate) fn fmt_around(&self, sigma: f64, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = formatter.precision().unwrap_or(DIGITS);
        let between = if self.upper.is_finite() { " in" } else { "," };
        write!(formatter, "{}{between} {self:.digits$}", nearest(sigma, digits))
    }

    /// The bounds of 2^exponent times the operator.
    pub(crate) fn scaled(self, exponent: i32) -> Self {
        let scale = |value| crate::tensor::screen::scale_by_power(value, exponent);
        // Exact within the normal range; outside that range the result is still on the safe side.
        let normal = |value: f64| value == 0.0 || (value >= f64::MIN_POSITIVE && value.is_finite());
        let (lower, upper) = (scale(self.lower), scale(self.upper));
        let lower = if lower.is_infinite() && self.lower.is_finite() { f64::MAX } else { lower };
        Self {
            lower: if normal(lower) { lower } else { lower.next_down().max(0.0) },
            upper: if normal(upper) && (upper > 0.0 || self.upper == 0.0) { upper } else { upper.next_up() },
            guarantee: self.guarantee,
        }
    }
}

/// The number of significant digits of bounds, unless a precision asks for another.
const DIGITS: usize = 6;

/// `[0.674092, 0.674095], certified`, each bound rounded to its safe side; the precision is the number of significant
/// digits (6).
impl fmt::Display for Bounds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = formatter.precision().unwrap_or(DIGITS);
        let (lower, upper) = self.decimals(digits);
        match self.guarantee {
            Guarantee::None => write!(formatter, "without bounds"),
            Guarantee::Lower => write!(formatter, "at least {lower}"),
            Guarantee::Probabilistic { delta } => {
                write!(formatter, "[{lower}, {upper}], probability 1 - {delta:e}")
            }
            Guarantee::Certified { .. } => write!(formatter, "[{lower}, {upper}], certified"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::Arithmetic;

    const HOST: Guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };

    #[test]
    fn the_weaker_kind_stays() {
        let probable = |delta| Guarantee::Probabilistic { delta };
        let wgsl = Guarantee::Certified { arithmetic: Arithmetic::Wgsl };
        assert_eq!(HOST.and(HOST), HOST);
        assert_eq!(HOST.and(wgsl), wgsl);
        assert_eq!(probable(0.1).and(wgsl), probable(0.1));
        assert_eq!(probable(0.7).and(probable(0.6)), probable(1.0));
        assert_eq!(probable(0.7).and(Guarantee::Lower), Guarantee::Lower);
        assert_eq!(HOST.and(Guarantee::None), Guarantee::None);
    }

    #[test]
    fn products_enclose_and_never_claim_an_upper_bound_that_is_none() {
        let certified = |lower, upper| Bounds { lower, upper, guarantee: HOST };
        let product = certified(0.1, 0.2).product(&certified(0.3, 0.3));
        assert!(product.lower < 0.03 && product.lower > 0.03 - 1e-16 && product.upper > 0.06);
        assert_eq!(certified(0.0, 0.0).product(&certified(3.0, 3.0)), certified(0.0, 0.0));
        assert_eq!(certified(2.0, 2.0).product(&Bounds::at_least(3.0)).upper, f64::INFINITY);
        assert_eq!(certified(2.0, 2.0).product(&Bounds::NONE), Bounds::NONE);
    }

    #[test]
    fn scaling_past_the_range_stays_on_the_safe_side() {
        let one = Bounds { lower: 1.0, upper: 1.0, guarantee: HOST };
        assert_eq!((one.scaled(3).lower, one.scaled(3).upper), (8.0, 8.0));
        let tiny = one.scaled(-1080);
        assert!(tiny.lower == 0.0 && tiny.upper > 0.0);
        let huge = one.scaled(1030);
        assert!(huge.lower == f64::MAX.next_down() || huge.lower == f64::MAX);
        assert_eq!(huge.upper, f64::INFINITY);
        assert_eq!(Bounds { lower: 0.0, upper: 0.0, guarantee: HOST }.scaled(-5).upper, 0.0);
    }

    #[test]
    fn the_kind_is_always_printed() {
        let bounds = Bounds { lower: 0.674_092_6, upper: 0.674_094_1, guarantee: HOST };
        assert_eq!(bounds.to_string(), "[0.674092, 0.674095], certified");
        assert_eq!(format!("{bounds:.8}"), "[0.67409260, 0.67409411], certified");
        let probable = Bounds { guarantee: Guarantee::Probabilistic { delta: 1e-6 }, ..bounds };
        assert_eq!(probable.to_string(), "[0.674092, 0.674095], probability 1 - 1e-6");
        assert_eq!(Bounds::at_least(0.5).to_string(), "at least 0.500000");
        assert_eq!(Bounds::NONE.to_string(), "without bounds");
    }
}
