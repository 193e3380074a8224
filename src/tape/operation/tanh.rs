//! `tanh x`; its slope is 1 / cosh² x.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::native::functions;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `tanh x`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn tanh(&self) -> Result<Self> {
        self.through(Tanh)
    }
}

#[derive(Debug)]
pub(super) struct Tanh;

impl Pointwise for Tanh {
    fn function(&self) -> &'static Unary {
        Unary::TANH
    }

    fn at(&self, x: f64) -> f64 {
        unary::tanh(x, 0.0)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::native(functions::tanh, 0.0, 1.0))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        // 1 - tanh² x would cancel where tanh is near ±1.
        input.sech2().map(Some)
    }
}
