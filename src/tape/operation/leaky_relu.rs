//! `x` where it is positive, else `slope x`; its slope is 1 or `slope`, the latter at 0.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x` where it is positive, else `slope x`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn leaky_relu(&self, slope: f64) -> Result<Self> {
        self.through(LeakyRelu { slope })
    }
}

#[derive(Debug)]
pub(super) struct LeakyRelu {
    slope: f64,
}

impl Pointwise for LeakyRelu {
    fn function(&self) -> &'static Unary {
        Unary::LEAKY_RELU
    }

    fn parameter(&self) -> f64 {
        self.slope
    }

    fn at(&self, x: f64) -> f64 {
        unary::leaky_relu(x, self.slope)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::rounded(unary::leaky_relu, self.slope, self.slope.abs().max(1.0)))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        // slope + (1 - slope) · step would cancel where the slope is large.
        let positive = input.step()?;
        positive.add(&positive.negate()?.shift(1.0)?.scale(self.slope)?).map(Some)
    }
}
