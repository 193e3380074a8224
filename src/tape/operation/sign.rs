//! 1, 0 or -1, as `x` is positive, zero or negative, NaN where `x` is NaN; its slope is zero everywhere.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// 1, 0 or -1, as `x` is positive, zero or negative, element by element; NaN where x is NaN.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn sign(&self) -> Result<Self> {
        self.through(Sign)
    }
}

#[derive(Debug)]
pub(super) struct Sign;

impl Pointwise for Sign {
    fn function(&self) -> &'static Unary {
        Unary::SIGN
    }

    fn at(&self, x: f64) -> f64 {
        unary::sign(x, 0.0)
    }

    fn slope(&self, _input: &Value, _output: &Value) -> Result<Option<Value>> {
        Ok(None)
    }
}
