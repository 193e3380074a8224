//! `log(1 + x)`; its slope is 1 / (1 + x).

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `log(1 + x)`, element by element, as accurate where x is small.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn log1p(&self) -> Result<Self> {
        self.through(Log1p)
    }
}

#[derive(Debug)]
struct Log1p;

impl Pointwise for Log1p {
    fn function(&self) -> &'static Unary {
        Unary::LOG1P
    }

    fn at(&self, x: f64) -> f64 {
        unary::log1p(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.shift(1.0)?.power(-1.0).map(Some)
    }
}
