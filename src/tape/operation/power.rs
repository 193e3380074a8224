//! `x^exponent`; its slope is `exponent x^(exponent - 1)`.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x^exponent`, element by element; NaN for a negative `x` unless the exponent is whole.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn power(&self, exponent: f64) -> Result<Self> {
        self.through(Power { exponent })
    }
}

#[derive(Debug)]
pub(super) struct Power {
    exponent: f64,
}

impl Pointwise for Power {
    fn function(&self) -> &'static Unary {
        Unary::POWER
    }

    fn parameter(&self) -> f64 {
        self.exponent
    }

    fn at(&self, x: f64) -> f64 {
        unary::power(x, self.exponent)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        {
            if self.exponent == 0.0 {
                return Ok(None);
            }
            input.power(self.exponent - 1.0)?.scale(self.exponent).map(Some)
        }
    }
}
