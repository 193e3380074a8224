//! `|x|`; its slope is the sign, 0 at 0.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `|x|`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn abs(&self) -> Result<Self> {
        self.through(Abs)
    }
}

#[derive(Debug)]
pub(super) struct Abs;

impl Pointwise for Abs {
    fn function(&self) -> &'static Unary {
        Unary::ABS
    }

    fn at(&self, x: f64) -> f64 {
        unary::abs(x, 0.0)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::exact(unary::abs, 0.0, 1.0))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.sign().map(Some)
    }
}
