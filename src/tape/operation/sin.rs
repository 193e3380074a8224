//! `sin x`; its slope is cos x.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `sin x`, element by element, for x of any size; NaN where x is infinite.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn sin(&self) -> Result<Self> {
        self.through(Sin)
    }
}

#[derive(Debug)]
pub(super) struct Sin;

impl Pointwise for Sin {
    fn function(&self) -> &'static Unary {
        Unary::SIN
    }

    fn at(&self, x: f64) -> f64 {
        unary::sin(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.cos().map(Some)
    }
}
