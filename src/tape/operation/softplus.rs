//! `log(1 + e^x)`; its slope is the sigmoid.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::native::functions;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `log(1 + e^x)`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn softplus(&self) -> Result<Self> {
        self.through(Softplus)
    }
}

#[derive(Debug)]
pub(super) struct Softplus;

impl Pointwise for Softplus {
    fn function(&self) -> &'static Unary {
        Unary::SOFTPLUS
    }

    fn at(&self, x: f64) -> f64 {
        unary::softplus(x, 0.0)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::native(functions::softplus, 0.0, 1.0))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.sigmoid().map(Some)
    }
}
