//! `√x`; its slope is 1 / (2 √x).

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `√x`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn sqrt(&self) -> Result<Self> {
        self.through(Sqrt)
    }
}

#[derive(Debug)]
pub(super) struct Sqrt;

impl Pointwise for Sqrt {
    fn function(&self) -> &'static Unary {
        Unary::SQRT
    }

    fn at(&self, x: f64) -> f64 {
        unary::sqrt(x, 0.0)
    }

    fn slope(&self, _input: &Value, output: &Value) -> Result<Option<Value>> {
        output.power(-1.0)?.scale(0.5).map(Some)
    }
}
