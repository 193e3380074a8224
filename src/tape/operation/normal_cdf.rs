//! The probability that a standard normal number is below `x`; its slope is `e^(-x²/2) / √(2π)`.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// The probability that a standard normal number is below `x`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn normal_cdf(&self) -> Result<Self> {
        self.through(NormalCdf)
    }
}

#[derive(Debug)]
pub(super) struct NormalCdf;

impl Pointwise for NormalCdf {
    fn function(&self) -> &'static Unary {
        Unary::NORMAL_CDF
    }

    fn at(&self, x: f64) -> f64 {
        unary::normal_cdf(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.normal_density(1.0).map(Some)
    }
}
