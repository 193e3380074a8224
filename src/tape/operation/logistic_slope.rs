//! `factor σ(x) σ(-x)`, the slope of the logistic function σ; its own is -tanh(x / 2) times itself.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `factor σ(x) σ(-x)` with the logistic function σ, element by element, as accurate where the value is small.
    ///
    /// The factor is a power of two, at least 1: a product of the slope may be a normal number where the slope itself
    /// is below the smallest one.
    pub(super) fn logistic_slope(&self, factor: f64) -> Result<Self> {
        self.through(LogisticSlope { factor })
    }
}

#[derive(Debug)]
struct LogisticSlope {
    factor: f64,
}

impl Pointwise for LogisticSlope {
    fn function(&self) -> &'static Unary {
        Unary::LOGISTIC_SLOPE
    }

    fn parameter(&self) -> f64 {
        self.factor
    }

    fn at(&self, x: f64) -> f64 {
        unary::logistic_slope(x, self.factor)
    }

    fn slope(&self, input: &Value, output: &Value) -> Result<Option<Value>> {
        input.scale(-0.5)?.tanh()?.multiply(output).map(Some)
    }
}
