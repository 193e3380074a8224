//! The options of a power iteration.

use crate::OpenEnded;
use crate::{Error, Result};

/// The choice of sigma in a power iteration, with the residual that it tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PowerForm {
    /// sigma = uᵀAv = |Av| with u = Av / |Av|; stops when |Aᵀu - sigma v| <= rtol · sigma + atol.
    ///
    /// The other residual, |Av - sigma u|, is zero by the choice of u.
    #[default]
    TwoSided,
    /// sigma² = |AᵀAv|; stops when |AᵀAv - sigma² v| <= rtol · sigma² + atol.
    Gram,
}

impl PowerForm {
    /// The power of sigma in the units of residuals and `atol`.
    pub(super) fn power(self) -> i32 {
        match self {
            Self::TwoSided => 1,
            Self::Gram => 2,
        }
    }
}

/// The start of a power iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// At a vector drawn uniformly from the unit sphere.
    Random {
        /// The seed.
        seed: u64,
    },
    /// At the lower medians of the columns, where the operator has entries and the medians are not all zero, else at
    /// random.
    ///
    /// A thousandth of a random vector is added, so that the start is orthogonal to no first singular vector.
    Median {
        /// The seed of the random part.
        seed: u64,
    },
}

impl Default for Start {
    fn default() -> Self {
        Self::Random { seed: 0 }
    }
}

/// Power iteration: v, u = Av / |Av|, v = Aᵀu / |Aᵀu|, and so on.
///
/// sigma is a norm and never negative, because u and v are never iterated apart. The operator is scaled by a power of
/// two first, so that the largest entry of its first product lies in [1, 2). So results do not depend on the scale of
/// the matrix, and `atol` is in units of the scaled operator.
///
/// Power iteration is the reference, and the step of spectral normalisation. [`crate::norm::Lanczos`] reaches the same
/// accuracy in a fraction of the products and knows the gap. A small residual says that sigma is near *some* singular
/// value.
#[derive(Clone, Debug, PartialEq)]
pub struct Power {
    /// The choice of sigma.
    pub form: PowerForm,
    /// Tolerance of the residual relative to sigma. Default 1e-6; `f32` reaches about 3e-7.
    pub rtol: f64,
    /// Tolerance of the residual in units of the scaled operator. Default 0.
    pub atol: f64,
    /// The limit of iterations, each of two products. Default 1000.
    pub max_iter: usize,
    /// The start vector. Default: random, seed 0.
    pub start: Start,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl Default for Power {
    fn default() -> Self {
        Self {
            form: PowerForm::default(),
            rtol: 1e-6,
            atol: 0.0,
            max_iter: 1000,
            start: Start::default(),
            open_ended: OpenEnded::default(),
        }
    }
}

impl Power {
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |option, value: String, allowed| {
            Err(Error::InvalidOption { operation: "power iteration", option, value, allowed })
        };
        let tolerance = |value: f64| value.is_finite() && value >= 0.0;
        if !tolerance(self.rtol) || !tolerance(self.atol) {
            return refuse("rtol and atol", format!("{} and {}", self.rtol, self.atol), "finite and not negative");
        }
        if self.rtol == 0.0 && self.atol == 0.0 {
            return refuse("rtol and atol", "0 and 0".to_string(), "not both 0");
        }
        if self.max_iter == 0 {
            return refuse("max_iter", "0".to_string(), "at least 1");
        }
        Ok(())
    }
}
