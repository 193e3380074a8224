//! The errors of operations on the host: from errors of their inputs, and from their own roundings.

/// A bound of the error of an operation's reference implementation, as a rule of the sizes of its numbers.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum Accuracy {
    /// Elements of the inputs in other places, or repeated, and zeros between them: an error goes with its element.
    Moved,
    /// left + right or left - right: errors add up, and the result is rounded once.
    Sum,
    /// The larger of two elements, off by no more than the larger of their errors.
    Larger,
    /// left / right, rounded once.
    Quotient,
    /// Σ first · second over at most `terms` products, or Σ first: in any order, each step rounded once.
    Products {
        /// The limit of products in a sum.
        terms: usize,
    },
    /// A function of each element.
    Function(Accurate),
}

/// A function of one number, with a bound of its slope and bounds of its error.
///
/// For the computed value y of f at c, and any x: |f(x) - y| <= `steepest` · |x - c| + `relative` · |y| + `absolute`.
#[derive(Clone, Copy, Debug)]
pub struct Accurate {
    pub(super) at: fn(f64, f64) -> f64,
    pub(super) parameter: f64,
    pub(super) steepest: f64,
    pub(super) relative: f64,
    pub(super) absolute: f64,
}

impl Accurate {
    /// A function without a rounding.
    pub(super) fn exact(at: fn(f64, f64) -> f64, parameter: f64, steepest: f64) -> Self {
        Self { at, parameter, steepest, relative: 0.0, absolute: 0.0 }
    }

    /// A function of one rounding.
    pub(super) fn rounded(at: fn(f64, f64) -> f64, parameter: f64, steepest: f64) -> Self {
        Self { at, parameter, steepest, relative: f64::EPSILON, absolute: f64::MIN_POSITIVE }
    }

    /// A function of [`crate::native::functions`] that has the sign of its terms, with four times the error stated
    /// there, and more than its values beyond the range where it is computed: 15 Φ(-15) < 2^-160.
    pub(super) fn native(at: fn(f64, f64) -> f64, parameter: f64, steepest: f64) -> Self {
        const RELATIVE: f64 = 1.0 / (1u64 << 36) as f64;
        const ABSOLUTE: f64 = 1.0 / (1u128 << 120) as f64;
        Self { at, parameter, steepest, relative: RELATIVE, absolute: ABSOLUTE }
    }
}
