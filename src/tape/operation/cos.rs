//! `cos x`; its slope is -sin x.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `cos x`, element by element, for x of any size; NaN where x is infinite.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn cos(&self) -> Result<Self> {
        self.through(Cos)
    }
}

#[derive(Debug)]
pub(super) struct Cos;

impl Pointwise for Cos {
    fn function(&self) -> &'static Unary {
        Unary::COS
    }

    fn at(&self, x: f64) -> f64 {
        unary::cos(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.sin()?.negate().map(Some)
    }
}
