//! The natural logarithm `log x`; its slope is 1 / x.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// The natural logarithm `log x`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn log(&self) -> Result<Self> {
        self.through(Log)
    }
}

#[derive(Debug)]
pub(super) struct Log;

impl Pointwise for Log {
    fn function(&self) -> &'static Unary {
        Unary::LOG
    }

    fn at(&self, x: f64) -> f64 {
        unary::log(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.power(-1.0).map(Some)
    }
}
